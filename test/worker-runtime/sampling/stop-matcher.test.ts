import {expect} from '@open-wc/testing';
import {StopMatcher} from '../../../worker-runtime/sampling/stop-matcher.ts';
import {Random} from '../../helpers/gguf/random.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

/** The answer that is left of `pieces`. */
function answer(stops: readonly string[], pieces: readonly string[]): string {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const matched = matcher.push(piece);
    text += matched.text;
    if (matched.stopped) return `${text}■`;
  }
  return text + matcher.flush();
}

describe('StopMatcher', () => {
  it('lets text through at once that begins no stop string', () => {
    const matcher = new StopMatcher(['###']);
    expect(matcher.push('hello')).to.deep.equal({text: 'hello', stopped: false});
    expect(matcher.push(' a#')).to.deep.equal({text: ' a', stopped: false});
    expect(matcher.push('#')).to.deep.equal({text: '', stopped: false});
    expect(matcher.push('b')).to.deep.equal({text: '##b', stopped: false});
  });

  it('ends at a stop string and says nothing of what follows', () => {
    const matcher = new StopMatcher(['END']);
    expect(matcher.push('one E')).to.deep.equal({text: 'one ', stopped: false});
    expect(matcher.push('ND two')).to.deep.equal({text: '', stopped: true});
    expect(matcher.push('more')).to.deep.equal({text: '', stopped: true});
    expect(matcher.flush()).to.equal('');
  });

  it('gives back at the end what was held', () => {
    expect(answer(['\n\nUser:'], ['text\n\nUse'])).to.equal('text\n\nUse');
  });

  it('without stop strings passes everything on', () => {
    expect(new StopMatcher([]).push('x')).to.deep.equal({text: 'x', stopped: false});
  });

  it('finds the string that is complete first', () => {
    expect(answer(['cd', 'bcde'], ['abcdef'])).to.equal('ab■');
    expect(answer(['bcd', 'cd'], ['abcdef'])).to.equal('a■');
  });

  it('does not miss a string that begins inside of a false start', () => {
    expect(answer(['aab'], ['a', 'a', 'a', 'b'])).to.equal('a■');
  });

  it('gives the same answer however the text is cut', () => {
    const random = new Random(11);
    for (let round = 0; round < 300; round++) {
      const letters = (length: number): string => Array.from({length}, () => 'ab'[random.below(2)]).join('');
      const stops = Array.from({length: 3}, () => letters(2 + random.below(4)));
      const text = letters(20);
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + random.below(5);
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      expect(answer(stops, pieces), `${text} ${stops.join()}`).to.equal(answer(stops, [text]));
    }
  });

  for (const [name, stops] of Object.entries({
    'an empty string': ['a', ''],
    'no strings': [3],
    'no array': 'stop',
    'too many': new Array(33).fill('x'),
    'too long a string': ['x'.repeat(1025)],
  })) {
    it(`refuses ${name}`, async () => {
      const error = await expectRefusal(
        () => new StopMatcher(stops as unknown as string[]),
        'invalid-setting',
        'stop',
      );
      expect(error.field).to.equal('stop');
    });
  }
});
