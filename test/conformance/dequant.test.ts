/** Every type's values against llama.cpp, bit for bit: the core's canonical form, and the decoder the tests lean on. */
import {expect} from '@open-wc/testing';
import {decodeBlock, quantisedTypes} from '../helpers/type-reference.ts';
import type {QuantisedType} from '../helpers/type-reference.ts';
import {sharedFile, sharedJson} from '../helpers/shared.ts';
import {bothUnpackers} from '../helpers/unpacker.ts';
import type {Unpacker} from '../helpers/unpacker.ts';
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {CoreHarness, format} from '../wasm/core-harness.ts';
import {repack, storageOf} from '../wasm/weights.ts';

interface Entry {
  readonly type: string;
  readonly type_id: number;
  readonly block_elements: number;
  readonly block_bytes: number;
  readonly rows: number;
  readonly cols: number;
  readonly row_bytes: number;
  readonly files: {readonly blocks: string; readonly f32: string};
}

interface Golden {
  readonly entry: Entry;
  readonly blocks: Uint8Array[];
  readonly values: Float32Array[];
}

async function loadGolden(entry: Entry): Promise<Golden> {
  const bytes = async (file: string) => (await sharedFile(`dequant/${file}`)).arrayBuffer();
  const [blocks, values] = await Promise.all([bytes(entry.files.blocks), bytes(entry.files.f32)]);
  const count = (entry.rows * entry.cols) / entry.block_elements;
  return {
    entry,
    blocks: Array.from(
      {length: count},
      (_, i) => new Uint8Array(blocks, i * entry.block_bytes, entry.block_bytes),
    ),
    values: Array.from(
      {length: count},
      (_, i) => new Float32Array(values, i * entry.block_elements * 4, entry.block_elements),
    ),
  };
}

/** The bits of the values, those of -0 as of 0. */
function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.map((value) => value + 0).buffer)];
}

describe('values of every type against llama.cpp', () => {
  let entries: Entry[];
  let unpackers: Unpacker[];
  before(async () => {
    entries = (await sharedJson<{types: Entry[]}>('dequant/manifest.json')).types;
    unpackers = await bothUnpackers();
  });

  const entryOf = (type: string) => entries.find((entry) => entry.type === type.toLowerCase())!;

  it('no type of the reference data is left out', () => {
    const tested = ['F16', 'BF16', ...quantisedTypes].map((type) => type.toLowerCase());
    expect(entries.map((entry) => entry.type)).to.have.members(tested);
  });

  for (const type of quantisedTypes) {
    it(type, async () => {
      const {entry, blocks, values} = await loadGolden(entryOf(type));
      expect({
        id: entry.type_id,
        blockElements: entry.block_elements,
        blockBytes: entry.block_bytes,
      }).to.deep.equal(ggmlTypes[type]);
      const compare = (decode: (name: QuantisedType, block: Uint8Array) => Float32Array, by: string) => {
        blocks.forEach((block, i) => {
          expect(bitsOf(decode(type, block)), `block ${i} by ${by}`).to.deep.equal(bitsOf(values[i]!));
        });
      };
      compare(decodeBlock, 'the reference decoder');
      unpackers.forEach((unpacker) =>
        compare((name, block) => unpacker.values(unpacker.unpack(name, block)), 'the core'),
      );
    });
  }

  for (const type of ['F16', 'BF16'] as const) {
    it(type, async () => {
      const {entry, blocks, values} = await loadGolden(entryOf(type));
      const name = type === 'F16' ? 'f16' : 'bf16';
      const row = Uint8Array.from(blocks.flatMap((block) => [...block]));
      const columns = entry.rows * entry.cols;
      for (const variant of ['baseline', 'relaxed'] as const) {
        const core = await CoreHarness.create(variant);
        const out = core.allocate(columns * 4);
        core.run(
          'dequantizeRow',
          format[name],
          repack(core, storageOf(name), [row], columns),
          0,
          columns,
          out,
        );
        const wanted = Float32Array.from(values, ([value]) => value!);
        expect(bitsOf(core.f32(out, columns))).to.deep.equal(bitsOf(wanted));
      }
    });
  }
});
