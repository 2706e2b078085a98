import {GgufError} from '../errors.ts';
import type {CoreVariant} from '../protocol.ts';
import {pageBytes} from './core-exports.ts';
import type {CoreExports} from './core-exports.ts';

/** A compiled core and how its relaxed dot product behaves in this engine. */
export interface CompiledCore {
  readonly variant: CoreVariant;
  readonly module: WebAssembly.Module;
  /** What `probeRelaxedDot` returned: 0 signed, 1 unsigned, 2 saturating, 3 baseline. */
  readonly dotMode: number;
  readonly sha256: string;
  /** A small instance for questions that need no model: sizes of layouts, portable maths. */
  readonly calculator: CoreExports;
}

/** One WebAssembly instance with a private memory of fixed size. */
export class Core {
  readonly exports: CoreExports;
  readonly #memory: WebAssembly.Memory;

  private constructor(memory: WebAssembly.Memory, exports: CoreExports) {
    this.#memory = memory;
    this.exports = exports;
  }

  /** @throws {GgufError} `memory-refused` when the browser does not give `bytes` */
  static async instantiate({module, dotMode}: CompiledCore, bytes: number): Promise<Core> {
    const memory = allocateMemory(bytes);
    const exports = await instantiateCore(module, memory);
    exports.setDotMode(dotMode);
    return new Core(memory, exports);
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A view of `count` bytes; valid as long as the core, because the memory never grows. */
  u8(pointer: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }

  /** Copies `bytes` bytes; the two places may overlap. */
  copy(source: number, target: number, bytes: number): void {
    this.u8(target, bytes).set(this.u8(source, bytes));
  }

  u32(pointer: number, count: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }

  f32(pointer: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }

  f64(pointer: number, count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }
}

/** The one place where the ABI is taken on trust: `test/wasm/` calls it as `CoreExports` describes it. */
export async function instantiateCore(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<CoreExports> {
  const instance = await WebAssembly.instantiate(module, {env: {memory}});
  return instance.exports as unknown as CoreExports;
}

function allocateMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return new WebAssembly.Memory({initial: pages, maximum: pages});
  } catch (cause) {
    const mebibytes = Math.ceil(bytes / 2 ** 20);
    throw new GgufError('memory-refused', `The browser refused ${mebibytes} MiB of memory for the model`, {
      cause,
    });
  }
}
