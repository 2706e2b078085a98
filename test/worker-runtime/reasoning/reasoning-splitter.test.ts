import {expect} from '@open-wc/testing';
import {findReasoningFormat, partAfter} from '../../../worker-runtime/reasoning/reasoning-format.ts';
import type {Part, ReasoningFormat} from '../../../worker-runtime/reasoning/reasoning-format.ts';
import {ReasoningSplitter} from '../../../worker-runtime/reasoning/reasoning-splitter.ts';
import type {SplitText} from '../../../worker-runtime/reasoning/reasoning-splitter.ts';

const formatOf = (template: string): ReasoningFormat => {
  const format = findReasoningFormat(template);
  if (!format) throw new Error(`${template} has no format`);
  return format;
};
const think = formatOf('{{ "<think>" }}');

/** An answer that comes in pieces of `length`. */
function split(text: string, length: number, format = think, part: Part = 'content'): SplitText {
  const splitter = new ReasoningSplitter(format, part);
  const sum = {reasoning: '', content: ''};
  const add = ({reasoning, content}: SplitText): void => {
    sum.reasoning += reasoning;
    sum.content += content;
  };
  for (let start = 0; start < text.length; start += length)
    add(splitter.push(text.slice(start, start + length)));
  add(splitter.flush());
  return sum;
}

interface Case {
  readonly text: string;
  readonly expected: SplitText;
  readonly format?: ReasoningFormat;
  readonly part?: Part;
}

const cases: Readonly<Record<string, Case>> = {
  'thoughts and an answer': {
    text: '<think>\nTwo and two.\n</think>\n\nFour.',
    expected: {reasoning: 'Two and two.\n', content: 'Four.'},
  },
  'an answer alone': {text: 'Four < five.', expected: {reasoning: '', content: 'Four < five.'}},
  'thoughts that the prompt has opened': {
    text: 'Hm.</think>Four.',
    part: 'reasoning',
    expected: {reasoning: 'Hm.', content: 'Four.'},
  },
  'thoughts that are cut short': {text: '<think>Hm', expected: {reasoning: 'Hm', content: ''}},
  'no thoughts': {text: '<think>\n\n</think>\n\nFour.', expected: {reasoning: '', content: 'Four.'}},
  'an answer about the mark': {
    text: 'Write <think> before.',
    expected: {reasoning: '', content: 'Write <think> before.'},
  },
  'what only begins like a mark': {text: '<thin', expected: {reasoning: '', content: '<thin'}},
  'messages in channels': {
    text: '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.',
    format: formatOf('<|start|>assistant<|channel|>analysis<|message|>'),
    expected: {reasoning: 'Hm.', content: 'Four.'},
  },
  'a thought after a call': {
    text: '<|channel|>final<|message|>One.<|end|><|start|>assistant<|channel|>analysis<|message|>Hm.',
    format: formatOf('<|channel|>analysis<|message|>'),
    expected: {reasoning: 'Hm.', content: 'One.'},
  },
  'a marked response': {
    text: '<think>Hm.</think>\n<response>Four.</response>',
    format: formatOf('<think> … <response>'),
    expected: {reasoning: 'Hm.', content: 'Four.'},
  },
  "Gemma's channel": {
    text: '<|channel>thought\nHm.<channel|>Four.',
    format: formatOf("'<|channel>thought'"),
    expected: {reasoning: 'Hm.', content: 'Four.'},
  },
};

describe('ReasoningSplitter', () => {
  for (const [name, {text, expected, format, part}] of Object.entries(cases)) {
    it(`parts ${name}, however it is cut`, () => {
      for (let length = 1; length <= text.length; length++) {
        expect(split(text, length, format, part), `pieces of ${length}`).to.deep.equal(expected);
      }
    });
  }

  it('gives what cannot be a mark any more at once', () => {
    const splitter = new ReasoningSplitter(think, 'content');
    expect(splitter.push('a <b')).to.deep.equal({reasoning: '', content: 'a <b'});
    expect(new ReasoningSplitter(think, 'content').push(' <th')).to.deep.equal({reasoning: '', content: ''});
    const thinking = new ReasoningSplitter(think, 'reasoning');
    expect(thinking.push('so </thi')).to.deep.equal({reasoning: 'so ', content: ''});
    expect(thinking.push('s is')).to.deep.equal({reasoning: '</this is', content: ''});
  });
});

describe('findReasoningFormat', () => {
  it('knows no format of templates that do not think', () => {
    expect(findReasoningFormat(null)).to.equal(null);
    expect(findReasoningFormat('<|im_start|>{{ message.content }}')).to.equal(null);
  });

  it('is recognised by the end alone, too, which some templates only cut off', () => {
    expect(findReasoningFormat("content.split('</think>')")).to.equal(think);
  });
});

describe('partAfter', () => {
  it('is what the prompt ends in', () => {
    expect(partAfter(think, '<|assistant|>')).to.equal('content');
    expect(partAfter(think, '<|assistant|><think>\n')).to.equal('reasoning');
    expect(partAfter(think, '<think>\n\n</think>\n\n')).to.equal('content');
  });
});
