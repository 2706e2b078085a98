import {expect} from '@open-wc/testing';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {TextPrefixes} from '../../../worker-runtime/tokenizer/text-prefixes.ts';
import {Vocabulary} from '../../../worker-runtime/tokenizer/vocabulary.ts';
import {writeGguf} from '../../helpers/gguf/write-gguf.ts';
import {readPieces} from '../../helpers/piece-stream.ts';

const tokens = ['a', 'abc', 'abcdef', 'ä', 'b', '', 'abc', '▁the', '🙂'];

async function prefixesOf(text: string, start = 0): Promise<(readonly [string, number])[]> {
  const file = writeGguf({metadata: {'tokenizer.ggml.tokens': tokens}});
  const {metadata} = await readHeader(readPieces(file));
  const checkpoint = (): undefined => undefined;
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  const prefixes = await TextPrefixes.create(vocabulary, checkpoint);
  const found: (readonly [string, number])[] = [];
  prefixes.forEach(new TextEncoder().encode(text), start, (id, end) => {
    expect(id).to.equal(tokens.indexOf(tokens[id] ?? ''));
    found.push([tokens[id] ?? '', end]);
  });
  return found;
}

describe('tokens that a text begins with', () => {
  it('are all found, shorter ones first, also where longer ones follow a gap', async () => {
    expect(await prefixesOf('abcdefg')).to.deep.equal([
      ['a', 1],
      ['abc', 3],
      ['abcdef', 6],
    ]);
  });
  it('are found from any place, in bytes of UTF-8', async () => {
    expect(await prefixesOf('xä🙂', 1)).to.deep.equal([['ä', 3]]);
    expect(await prefixesOf('xä🙂', 3)).to.deep.equal([['🙂', 7]]);
    expect(await prefixesOf('▁the')).to.deep.equal([['▁the', 6]]);
  });
  it('are none where the text ends, ends too early, or goes on otherwise', async () => {
    expect(await prefixesOf('')).to.deep.equal([]);
    expect(await prefixesOf('▁th')).to.deep.equal([]);
    expect(await prefixesOf('zzz')).to.deep.equal([]);
  });
});
