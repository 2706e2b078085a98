/** The core's unpacking alone, and the f32 values of what it unpacks. */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {bf16ToNumber, f16ToNumber} from './core-reference.ts';
import type {QuantisedType} from './type-reference.ts';

const {fround} = Math;

/** One block in the canonical form; see wasm/assembly/formats/unpack/unpacked.ts. */
export interface Unpacked {
  readonly type: QuantisedType;
  /** Bits of an f16; MXFP4: of a bf16. */
  readonly scale: number;
  /** Bits of an f16. */
  readonly min: number;
  readonly scales: Int8Array;
  readonly mins: Uint8Array;
  /** One a column. */
  readonly codes: Uint8Array;
}

/** How many sub-blocks with integer scales a block has, where it has any. */
export const subBlocks: Partial<Record<QuantisedType, number>> = {
  Q2_K: 16,
  Q3_K: 16,
  Q4_K: 8,
  Q5_K: 8,
  Q6_K: 16,
  IQ1_S: 8,
  IQ1_M: 16,
  IQ2_XXS: 8,
  IQ2_XS: 16,
  IQ2_S: 16,
  IQ3_XXS: 8,
  IQ3_S: 8,
  IQ4_XS: 8,
  NVFP4: 4,
};

type Operation = (...args: number[]) => number;
type Exports = Readonly<Record<string, Operation | WebAssembly.Global>>;

export class Unpacker {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  /** Where blocks are put: the memory's last page, so that reading behind a block traps. */
  readonly #blockEnd: number;

  private constructor(memory: WebAssembly.Memory, instance: WebAssembly.Instance) {
    this.#memory = memory;
    this.#exports = instance.exports as Exports;
    this.#blockEnd = memory.buffer.byteLength;
  }

  static async create(variant: 'baseline' | 'relaxed'): Promise<Unpacker> {
    const binary = await fetch(new URL(`../../wasm/build/unpacking-${variant}.wasm`, import.meta.url));
    const memory = new WebAssembly.Memory({initial: 2});
    const {instance} = await WebAssembly.instantiate(await binary.arrayBuffer(), {env: {memory}});
    return new Unpacker(memory, instance);
  }

  /** Fills the record, all of it, with a byte that no unpacking left there. */
  clear(byte: number): void {
    for (const name of ['CODES', 'SCALES', 'MINS', 'SCALE', 'MIN'] as const) this.#field(name).fill(byte);
  }

  unpack(type: QuantisedType, block: Uint8Array): Unpacked {
    const source = this.#blockEnd - block.length;
    new Uint8Array(this.#memory.buffer, source).set(block);
    this.#run('unpack', ggmlTypes[type].id, source);
    const scaleBits = (name: 'SCALE' | 'MIN') => new Uint16Array(this.#field(name).slice().buffer)[0]!;
    return {
      type,
      scale: scaleBits('SCALE'),
      min: scaleBits('MIN'),
      scales: new Int8Array(this.#field('SCALES').slice().buffer),
      mins: this.#field('MINS').slice(),
      codes: this.#field('CODES').slice(0, ggmlTypes[type].blockElements),
    };
  }

  /** The integer weight of every column. */
  weights({type, codes}: Unpacked): number[] {
    const table = this.#run('valueTable', ggmlTypes[type].id);
    const signed = new Int8Array(this.#memory.buffer);
    if (table !== 0) return Array.from(codes, (code) => signed[table + code]!);
    const numbers = type === 'Q8_0' ? new Int8Array(codes.buffer) : codes;
    const offset = this.#run('codeOffset', ggmlTypes[type].id);
    return Array.from(numbers, (code) => code - offset);
  }

  /** The power of two that the type's scales stand to each other in: see values.ts. */
  unit(type: QuantisedType): number {
    return this.#run('unit', ggmlTypes[type].id);
  }

  /** The value of an NVFP4 scale. */
  ue4m3(code: number): number {
    return this.#run('ue4m3', code);
  }

  /** d · unit · scale · weight, and the minimum, of every column. Products are exact (values.ts). */
  values(unpacked: Unpacked): Float32Array {
    const {type, codes, scales, mins} = unpacked;
    const unit = this.unit(type);
    const d = type === 'MXFP4' ? bf16ToNumber(unpacked.scale) : f16ToNumber(unpacked.scale);
    const min = f16ToNumber(unpacked.min);
    const columnsOfScale = codes.length / (subBlocks[type] ?? 1);
    return Float32Array.from(this.weights(unpacked), (weight, column) => {
      const subBlock = Math.floor(column / columnsOfScale);
      switch (type) {
        case 'NVFP4':
          return this.ue4m3(scales[subBlock]! & 255) * unit * weight;
        case 'Q4_1':
        case 'Q5_1':
          return fround(d * weight) + min;
        case 'Q2_K':
        case 'Q4_K':
        case 'Q5_K':
          return fround(d * scales[subBlock]! * weight) - fround(min * mins[subBlock]!);
        default:
          return d * unit * (type in subBlocks ? scales[subBlock]! : 1) * weight;
      }
    });
  }

  #field(name: 'CODES' | 'SCALES' | 'MINS' | 'SCALE' | 'MIN'): Uint8Array {
    const bytes = {CODES: 256, SCALES: 16, MINS: 16, SCALE: 2, MIN: 2};
    const address = this.#exports[`UNPACKED_${name}`] as WebAssembly.Global;
    return new Uint8Array(this.#memory.buffer, address.value as number, bytes[name]);
  }

  #run(name: string, ...args: number[]): number {
    return (this.#exports[name] as Operation)(...args);
  }
}

export async function bothUnpackers(): Promise<Unpacker[]> {
  return [await Unpacker.create('baseline'), await Unpacker.create('relaxed')];
}
