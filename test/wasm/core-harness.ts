/** Instances of the built cores with a small arena, for tests. */
import {cores} from '../../wasm/build/cores.js';

export type Variant = keyof typeof cores;

/** Numbers of the compute formats and of the KV types, as in the core's ABI. */
export const format = {f32: 0, f16: 1, bf16: 2, q8: 3, q4: 4} as const;
export const kvType = {f32: 0, f16: 1} as const;

type Operation = (...args: number[]) => number;

const arenaStart = 65536;

export class CoreHarness {
  readonly memory: WebAssembly.Memory;
  readonly call: Readonly<Record<string, Operation>>;
  /** What the probe said of this browser; the default mode of the instance. */
  readonly dotMode: number;
  #end = arenaStart;

  private constructor(memory: WebAssembly.Memory, instance: WebAssembly.Instance) {
    this.memory = memory;
    this.call = instance.exports as Record<string, Operation>;
    this.dotMode = this.run('probeRelaxedDot');
    this.run('setDotMode', this.dotMode);
  }

  static async create(variant: Variant, pages = 64): Promise<CoreHarness> {
    const binary = Uint8Array.from(atob(cores[variant].base64), (c) => c.charCodeAt(0));
    const memory = new WebAssembly.Memory({initial: pages});
    const {instance} = await WebAssembly.instantiate(binary, {env: {memory}});
    return new CoreHarness(memory, instance);
  }

  run(name: string, ...args: number[]): number {
    const operation = this.call[name];
    if (!operation) throw new Error(`the core has no ${name}`);
    return operation(...args);
  }

  /** Forgets all buffers. Memory keeps what it held, so that nothing can lean on zeros. */
  reset(): void {
    this.#end = arenaStart;
  }

  /** `bytes` at a multiple of 64, filled with NaN: whatever an operation must write but does not is then seen. */
  allocate(bytes: number): number {
    const pointer = this.#end;
    this.#end += Math.ceil(bytes / 64) * 64;
    if (this.#end > this.memory.buffer.byteLength) throw new Error('test arena is full');
    new Uint8Array(this.memory.buffer, pointer, this.#end - pointer).fill(0xff);
    return pointer;
  }

  /** A copy of `data` in the arena. */
  put(data: ArrayBufferView): number {
    const pointer = this.allocate(data.byteLength);
    new Uint8Array(this.memory.buffer, pointer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return pointer;
  }

  /** A copy of `n` f32 at `pointer`. */
  f32(pointer: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, n).slice();
  }
}

/** Both cores; the relaxed one only where the browser has relaxed SIMD and computes it right. */
export async function allCores(pages?: number): Promise<CoreHarness[]> {
  const found = [await CoreHarness.create('baseline', pages)];
  const relaxed = await CoreHarness.create('relaxed', pages).catch(() => undefined);
  if (relaxed && relaxed.dotMode !== -1) found.push(relaxed);
  return found;
}

/** Rows of f32 begin at multiples of 16 floats. */
export function paddedColumns(columns: number): number {
  return Math.ceil(columns / 16) * 16;
}

/** Seeded numbers in [-1, 1): a linear congruential generator, upper bits. */
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
