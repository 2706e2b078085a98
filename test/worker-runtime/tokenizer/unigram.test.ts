import {expect} from '@open-wc/testing';
import {expectRefusal} from '../../helpers/refusal.ts';
import {texts, tokenizerOf, types} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

type Piece = readonly [text: string, score: number, type?: number];

const special: readonly Piece[] = [
  ['<pad>', 0, types.control],
  ['</s>', 0, types.control],
  ['<unk>', 0, types.unknown],
];

/** A vocabulary of `<pad>`, `</s>`, `<unk>` and pieces with their scores. */
function unigramKeys(pieces: readonly Piece[], changes: Changes = {}): Changes {
  const all = [...special, ...pieces];
  return {
    'tokenizer.ggml.model': 't5',
    'tokenizer.ggml.tokens': all.map(([text]) => text),
    'tokenizer.ggml.token_type': Int32Array.from(all, ([, , type = types.normal]) => type),
    'tokenizer.ggml.scores': Float32Array.from(all, ([, score]) => score),
    ...changes,
  };
}

const pieces: readonly Piece[] = [
  ['▁', -3],
  ['a', -2],
  ['b', -2],
  ['c', -2],
  ['ab', -3],
  ['bc', -2.5],
  ['▁a', -1],
  ['▁ab', -9],
];

/** The double array of a map, and its replacements, for single bytes: what {@link CharacterMap} reads. */
function mapOf(replacements: Readonly<Record<string, string>>): Int32Array {
  const units = new Uint32Array(1024);
  const texts: number[] = [];
  // The root's children begin at 256, those of the child of byte b at 512 + b.
  units[0] = 256 << 10;
  for (const [from, to] of Object.entries(replacements)) {
    const byte = from.charCodeAt(0);
    const [child, leaf] = [256 ^ byte, 512 + byte];
    units[child] = (((child ^ leaf) << 10) | 0x100 | byte) >>> 0;
    units[leaf] = (0x8000_0000 | texts.length) >>> 0;
    texts.push(...new TextEncoder().encode(to), 0);
  }
  const bytes = new Uint8Array(4 + units.byteLength + texts.length);
  new DataView(bytes.buffer).setUint32(0, units.byteLength, true);
  bytes.set(new Uint8Array(units.buffer), 4);
  bytes.set(texts, 4 + units.byteLength);
  return Int32Array.from(bytes);
}

describe('Unigram', () => {
  const encode = async (text: string, changes?: Changes, more: readonly Piece[] = []): Promise<string[]> => {
    const tokenizer = await tokenizerOf(unigramKeys([...pieces, ...more], changes));
    return texts(tokenizer, tokenizer.encode(text));
  };

  it('takes the division with the best sum of scores', async () => {
    // ab + c = -5, a + bc = -4.5, a + b + c = -6.
    expect(await encode('abc')).to.deep.equal(['a', 'bc']);
    // ▁ab = -9, ▁a + b = -3.
    expect(await encode(' ab')).to.deep.equal(['▁a', 'b']);
  });

  it('makes one unknown token of unknown characters in a row', async () => {
    expect(await encode('axyz😀b')).to.deep.equal(['a', '<unk>', 'b']);
    expect(await encode('xax')).to.deep.equal(['<unk>', 'a', '<unk>']);
  });

  it('prefers user-defined tokens, and never makes control tokens of text', async () => {
    expect(await encode('abc', {}, [['abc', -50, types.userDefined]])).to.deep.equal(['abc']);
    expect(await encode('</s>')).to.deep.equal(['<unk>']);
  });

  it('ends a text as the file asks', async () => {
    const tokenizer = await tokenizerOf(unigramKeys(pieces));
    expect(texts(tokenizer, tokenizer.encode('a', {addSpecial: true}))).to.deep.equal(['a', '</s>']);
  });

  describe('treats spaces as the file says:', () => {
    const before = {'tokenizer.ggml.add_space_prefix': true};
    const behind = {...before, 'tokenizer.ggml.treat_whitespace_as_suffix': true};
    const merged = {'tokenizer.ggml.remove_extra_whitespaces': true};
    const cases: readonly [string, Changes, string, readonly string[]][] = [
      ['as they are', {}, '  b ', ['▁', '▁', 'b', '▁']],
      ['one more before the first word', before, ' b', ['▁', '▁', 'b']],
      ['one behind the text', behind, 'b', ['b', '▁']],
      ['one before each word', merged, '  b   c ', ['▁', 'b', '▁', 'c']],
      ['nothing of nothing but spaces', merged, '   ', []],
    ];
    for (const [name, changes, text, expected] of cases) {
      it(name, async () => expect(await encode(text, changes)).to.deep.equal(expected));
    }

    it('and takes the added one off again', async () => {
      const tokenizer = await tokenizerOf(unigramKeys(pieces, before));
      expect(tokenizer.decode(tokenizer.encode('b c'))).to.equal('b c');
    });
  });

  it("normalises by the file's map", async () => {
    const charsmap = mapOf({A: 'a', '\t': ' ', X: 'bc'});
    const changes = {'tokenizer.ggml.precompiled_charsmap': charsmap};
    expect(await encode('A\tX', changes)).to.deep.equal(['a', '▁', 'bc']);
  });

  it('refuses a map that leads nowhere', async () => {
    const key = 'tokenizer.ggml.precompiled_charsmap';
    const keys = (bytes: Int32Array): Changes => unigramKeys(pieces, {[key]: bytes});
    await expectRefusal(() => tokenizerOf(keys(Int32Array.of(1, 2))), 'tokenizer-invalid', key);
    await expectRefusal(() => tokenizerOf(keys(Int32Array.of(8, 0, 0, 0, 1))), 'tokenizer-invalid', key);
    const outside = mapOf({});
    // The root's children begin far behind the last unit.
    outside.set([0, 0, 0xff, 0x7f], 4);
    const tokenizer = await tokenizerOf(keys(outside));
    await expectRefusal(async () => tokenizer.encode('a'), 'tokenizer-invalid', key);
  });

  it('needs scores', async () => {
    const keys = unigramKeys(pieces, {'tokenizer.ggml.scores': null});
    await expectRefusal(() => tokenizerOf(keys), 'tokenizer-invalid', 'tokenizer.ggml.scores');
  });

  it('takes time in proportion to the text', async () => {
    const tokenizer = await tokenizerOf(unigramKeys(pieces));
    expect(tokenizer.encode('a'.repeat(300_000)).length).to.equal(300_000);
  });
});
