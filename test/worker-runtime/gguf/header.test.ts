import {expect} from '@open-wc/testing';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {tinyLlama, writeGguf} from '../../helpers/gguf-writer.ts';
import type {GgufInput} from '../../helpers/gguf-writer.ts';
import {readPieces} from '../../helpers/piece-stream.ts';

const norm = (name: string): {name: string; type: 'F32'; dimensions: number[]; data: Float32Array} => ({
  name,
  type: 'F32',
  dimensions: [4],
  data: new Float32Array([1, 2, 3, 4]),
});

const small: GgufInput = {
  metadata: {'general.architecture': 'llama', 'llama.block_count': 2},
  tensors: [norm('a.weight'), {...norm('b.weight'), dimensions: [2, 2]}, norm('c.weight')],
};

describe('readHeader', () => {
  it('reads metadata and tensors', async () => {
    const header = await readHeader(readPieces(writeGguf(small)));
    expect(header.version).to.equal(3);
    expect(header.alignment).to.equal(32);
    expect([...header.metadata.keys()]).to.deep.equal(['general.architecture', 'llama.block_count']);
    expect([...header.tensors.keys()]).to.deep.equal(['a.weight', 'b.weight', 'c.weight']);
    expect(header.tensors.get('b.weight')).to.deep.equal({
      name: 'b.weight',
      type: 'F32',
      dimensions: [2, 2],
      offset: header.dataOffset + 32,
      bytes: 16,
    });
  });

  for (const version of [2, 3]) {
    it(`reads version ${version}`, async () => {
      expect((await readHeader(readPieces(writeGguf({...small, version})))).version).to.equal(version);
    });
  }

  for (const alignment of [8, 64, 4096]) {
    it(`lays data out by an alignment of ${alignment}`, async () => {
      const reader = readPieces(writeGguf({...small, alignment}));
      const header = await readHeader(reader);
      expect(header.alignment).to.equal(alignment);
      expect(header.dataOffset % alignment).to.equal(0);
      expect(header.dataOffset - reader.position).to.be.within(0, alignment - 1);
      expect(header.tensors.get('c.weight')?.offset).to.equal(
        header.dataOffset + 2 * Math.max(alignment, 16),
      );
    });
  }

  for (const pieceLength of [1, 13, 4096, 1 << 20]) {
    it(`consumes exactly the header where it arrives in pieces of ${pieceLength}`, async () => {
      const file = tinyLlama();
      const whole = await readHeader(readPieces(file));
      for (const length of [file.byteLength, null]) {
        const reader = readPieces(file, pieceLength, length);
        const header = await readHeader(reader);
        expect([...header.tensors.values()]).to.deep.equal([...whole.tensors.values()]);
        expect([...header.metadata.keys()]).to.deep.equal([...whole.metadata.keys()]);
        await reader.skip(header.dataOffset - reader.position);
        const data = new Uint8Array(64);
        await reader.fill(data);
        expect([...data]).to.deep.equal([...new Uint8Array(file, header.dataOffset, 64)]);
      }
    });
  }

  it('reads a header that is longer than many windows', async () => {
    const tokens = Array.from({length: 50_000}, (_, i) => `token ${i}`);
    const file = writeGguf({
      ...small,
      metadata: {'tokenizer.ggml.tokens': tokens, 'general.name': 'after it'},
    });
    const header = await readHeader(readPieces(file, 5000));
    expect(header.metadata.strings('tokenizer.ggml.tokens')?.at(49_999)).to.equal('token 49999');
    expect(header.metadata.string('general.name')).to.equal('after it');
    expect(header.tensors.size).to.equal(3);
  });

  it('does not read on into the tensors where the length is unknown', async () => {
    const file = writeGguf({
      ...small,
      tensors: [{name: 'large', type: 'F32', dimensions: [1 << 20], data: new Uint8Array(4 << 20)}],
    });
    const reader = readPieces(file, 1024, null);
    await readHeader(reader);
    expect((await reader.peek(1)).length, 'bytes buffered').to.be.below(64 * 1024);
  });

  it('accepts bytes behind the last tensor, gaps between tensors, and any order of them', async () => {
    const file = writeGguf({
      tensors: [
        {...norm('late'), offset: 640},
        {...norm('early'), offset: 0},
        {...norm('padding'), dimensions: [1000], data: new Float32Array(1000), offset: 4096},
      ],
    });
    const padded = new Uint8Array(file.byteLength + 5000);
    padded.set(new Uint8Array(file));
    const {tensors, dataOffset} = await readHeader(readPieces(padded));
    expect([...tensors.values()].map(({name, offset}) => [name, offset - dataOffset])).to.deep.equal([
      ['late', 640],
      ['early', 0],
      ['padding', 4096],
    ]);
  });

  it('accepts a file without tensors, as vocabularies are', async () => {
    const {tensors, metadata} = await readHeader(
      readPieces(writeGguf({metadata: {'general.name': 'vocabulary'}})),
    );
    expect(tensors.size).to.equal(0);
    expect(metadata.string('general.name')).to.equal('vocabulary');
  });

  it('believes a declared length only where it is exact', async () => {
    const file = writeGguf(small);
    const reader = readPieces(file, 64, 100);
    Object.defineProperty(reader, 'lengthIsExact', {value: false});
    expect((await readHeader(reader)).tensors.size).to.equal(3);
  });
});
