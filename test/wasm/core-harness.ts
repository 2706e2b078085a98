/** Instances of the built cores with a small arena, for tests. */
import {coreBytes} from '../../worker-runtime/core/core-bytes.ts';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';

export type Variant = CoreVariant;

/** Numbers of the compute formats and of the KV types, as in the core's ABI. */
export const format = {f32: 0, f16: 1, bf16: 2, q8: 3, q4: 4} as const;
export const kvType = {f32: 0, f16: 1, q8_0: 2} as const;

type Operation = (...args: number[]) => number;

/** What `probeRelaxedDot` returns: how the relaxed dot product reads its second operand. */
export const dotMode = {broken: -1, signed: 0, unsigned: 1, sevenBit: 2, none: 3} as const;

const arenaStart = 65536;

/** Bytes behind every buffer that no operation may change. */
const guardBytes = 64;
const guardByte = 0xa5;

export class CoreHarness {
  readonly variant: Variant;
  readonly memory: WebAssembly.Memory;
  /** What the probe says of this browser. */
  readonly probed: number;
  readonly #operations: Readonly<Record<string, Operation>>;
  readonly #guards: number[] = [];
  #end = arenaStart;

  private constructor(variant: Variant, memory: WebAssembly.Memory, instance: WebAssembly.Instance) {
    this.variant = variant;
    this.memory = memory;
    this.#operations = instance.exports as Record<string, Operation>;
    this.probed = this.run('probeRelaxedDot');
    this.run('setDotMode', this.probed);
  }

  static async create(variant: Variant, pages = 64): Promise<CoreHarness> {
    const binary = await coreBytes(variant);
    const memory = new WebAssembly.Memory({initial: pages});
    const {instance} = await WebAssembly.instantiate(binary, {env: {memory}});
    return new CoreHarness(variant, memory, instance);
  }

  /** Calls an export. */
  run(name: string, ...args: number[]): number {
    const operation = this.#operations[name];
    if (!operation) throw new Error(`the core has no ${name}`);
    return operation(...args);
  }

  /** Forgets all buffers, after a look at what lies between them: throws if an operation wrote there. */
  reset(): void {
    for (const guard of this.#guards) {
      const bytes = new Uint8Array(this.memory.buffer, guard, guardBytes);
      if (bytes.some((byte) => byte !== guardByte)) throw new Error('an operation wrote behind its buffer');
    }
    this.#guards.length = 0;
    this.#end = arenaStart;
  }

  /** `bytes` at a multiple of 64, filled with NaN: what an operation must write but does not is then seen. */
  allocate(bytes: number): number {
    const pointer = this.#end;
    const guard = pointer + Math.ceil(bytes / 64) * 64;
    this.#end = guard + guardBytes;
    if (this.#end > this.memory.buffer.byteLength) throw new Error('the test arena is full');
    new Uint8Array(this.memory.buffer, pointer, guard - pointer).fill(0xff);
    new Uint8Array(this.memory.buffer, guard, guardBytes).fill(guardByte);
    this.#guards.push(guard);
    return pointer;
  }

  /** A copy of `data` in the arena. */
  put(data: ArrayBufferView): number {
    const pointer = this.allocate(data.byteLength);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    new Uint8Array(this.memory.buffer, pointer, data.byteLength).set(bytes);
    return pointer;
  }

  /** A copy of `n` f32 at `pointer`. */
  f32(pointer: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, n).slice();
  }
}

/** Whether the browser has relaxed SIMD, asked with `i8x16.relaxed_swizzle` of two constants instead of a core. */
export function hasRelaxedSimd(): boolean {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b];
  const functions = [3, 2, 1, 0];
  const code = [10, 15, 1, 13, 0, 0x41, 1, 0xfd, 0x0f, 0x41, 2, 0xfd, 0x0f, 0xfd, 0x80, 2, 0x0b];
  return WebAssembly.validate(Uint8Array.from([...header, ...types, ...functions, ...code]));
}

/**
 * Instances of all that must agree: the baseline core, and, where the browser computes relaxed SIMD right, the
 * relaxed core in the mode that the probe found and in the 7-bit mode, which is valid everywhere.
 */
export async function allCores(pages?: number): Promise<CoreHarness[]> {
  const baseline = await CoreHarness.create('baseline', pages);
  if (!hasRelaxedSimd()) return [baseline];
  const relaxed = await CoreHarness.create('relaxed', pages);
  if (relaxed.probed === dotMode.broken) return [baseline];
  const sevenBit = await CoreHarness.create('relaxed', pages);
  sevenBit.run('setDotMode', dotMode.sevenBit);
  return [baseline, relaxed, sevenBit];
}

/**
 * For weights of up to 7 bits, besides: the relaxed core in the unsigned mode, where the browser has another one. Its
 * kernels are exact for such weights everywhere, and no other test reaches them there.
 */
export async function unsignedCore(pages?: number): Promise<CoreHarness[]> {
  const [, relaxed] = await allCores(pages);
  if (relaxed?.probed !== dotMode.sevenBit) return [];
  relaxed.run('setDotMode', dotMode.unsigned);
  return [relaxed];
}

/** Rows of f32 begin at multiples of 16 floats. */
export function paddedColumns(columns: number): number {
  return Math.ceil(columns / 16) * 16;
}

/** Seeded numbers in [-1, 1) of a linear congruential generator. */
export function randomNumbers(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function randomFloats(n: number, seed: number, scale = 1): Float32Array {
  const next = randomNumbers(seed);
  return Float32Array.from({length: n}, () => next() * scale);
}

export function randomBytes(n: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({length: n}, () => (next() + 1) * 128);
}

/** The bits of f32 values, for comparisons that tell -0 from 0 and do not stumble over NaN. */
export function bits(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}
