import {expect} from '@open-wc/testing';
import {GgufError} from '../../../worker-runtime/errors.ts';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {Random, tinyLlama, writeGguf} from '../../helpers/gguf-writer.ts';
import {readPieces} from '../../helpers/piece-stream.ts';

/** What reading the file ends with: `accepted`, or the name of the refusal. Anything else fails the test. */
async function outcome(file: Uint8Array, pieceLength: number, length?: null): Promise<string> {
  const reader = readPieces(file, pieceLength, length);
  try {
    const {metadata, tensors} = await readHeader(reader);
    for (const {offset, bytes} of tensors.values()) {
      if (length === undefined) expect(offset + bytes).to.be.at.most(file.length);
    }
    for (const key of metadata.keys()) expect(metadata.typeOf(key)).to.be.a('string');
    return 'accepted';
  } catch (thrown) {
    if (thrown instanceof GgufError) return thrown.name;
    throw thrown;
  }
}

const small = writeGguf({
  metadata: {
    'general.architecture': 'llama',
    'general.alignment': 32,
    'llama.block_count': 2,
    'llama.rope.freq_base': 0.5,
    'tokenizer.ggml.tokens': ['a', 'b', '▁c'],
    'tokenizer.ggml.scores': new Float32Array([0, -1, -2]),
    'tokenizer.ggml.add_bos_token': true,
    'x.flags': [true, false],
    'x.large': 2n ** 60n,
  },
  tensors: [
    {name: 'token_embd.weight', type: 'F32', dimensions: [4, 3], data: new Float32Array(12)},
    {name: 'output_norm.weight', type: 'F32', dimensions: [4], data: new Float32Array(4)},
    {name: 'blk.0.attn_q.weight', type: 'Q8_0', dimensions: [32, 2], data: new Float32Array(64)},
  ],
});

describe('a damaged header', () => {
  it('is refused or accepted, and nothing else, after 3000 random mutations', async () => {
    const random = new Random(20);
    const outcomes = new Map<string, number>();
    const headerLength = 620;
    for (let round = 0; round < 3000; round++) {
      const file = new Uint8Array(small.slice(0));
      for (let count = 1 + random.below(4); count > 0; count--) {
        const at = random.below(headerLength);
        // Single bits, and the values at which counts go wrong.
        file[at] =
          random.below(2) === 0
            ? (file[at] ?? 0) ^ (1 << random.below(8))
            : [0, 1, 0x7f, 0xff][random.below(4)]!;
      }
      const result = await outcome(file, 1 << 20, round % 2 === 0 ? null : undefined);
      outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
    }
    expect([...outcomes.keys()]).to.include.members([
      'accepted',
      'not-gguf',
      'gguf-version',
      'gguf-limit',
      'gguf-truncated',
      'gguf-metadata',
      'gguf-tensor-info',
      'unsupported-tensor-type',
    ]);
  });

  it('is refused wherever it is cut', async () => {
    const bytes = new Uint8Array(small);
    for (let length = 0; length < small.byteLength; length++) {
      const expected = length < 4 ? 'not-gguf' : 'gguf-truncated';
      expect(await outcome(bytes.slice(0, length), 100), `cut at ${length}`).to.equal(expected);
    }
    expect(await outcome(bytes, 100)).to.equal('accepted');
  });

  it('is refused or accepted where long pieces of another model are swapped in', async () => {
    const random = new Random(21);
    const model = new Uint8Array(tinyLlama({layerCount: 1, vocabulary: ['▁', 'a']}));
    for (let round = 0; round < 200; round++) {
      const file = model.slice(0, 12_000);
      const length = 1 + random.below(200);
      const from = random.below(10_000);
      file.copyWithin(24 + random.below(8000), from, from + length);
      await outcome(file, 4096, null);
    }
  });
});
