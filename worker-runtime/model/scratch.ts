import type {Arena} from '../core/arena.ts';

/** A buffer of f32 `(tokens, columns)` whose rows begin `stride` bytes apart (padded to 16 floats). */
export interface Rows {
  readonly pointer: number;
  readonly columns: number;
  readonly stride: number;
}

export function rowStride(columns: number): number {
  return Math.ceil(columns / 16) * 64;
}

/** Scratch of the decoder, by name: blocks that never run at the same time share what has the same name. */
export interface Scratch {
  pointer(name: string): number;
  rows(name: string, columns: number): Rows;
}

/** What the blocks need, before it has a place: of each name the largest. */
export class ScratchPlan {
  /** The most tokens of one step. */
  readonly sliceLength: number;
  readonly #bytes = new Map<string, number>();

  constructor(sliceLength: number) {
    this.sliceLength = sliceLength;
  }

  bytes(name: string, bytes: number): void {
    this.#bytes.set(name, Math.max(bytes, this.#bytes.get(name) ?? 0));
  }

  /** `(sliceLength, columns)` f32 */
  rows(name: string, columns: number): void {
    this.bytes(name, this.sliceLength * rowStride(columns));
  }

  place(arena: Arena): Scratch {
    const pointers = new Map<string, number>();
    for (const [name, bytes] of this.#bytes) pointers.set(name, arena.allocate(bytes, 'scratch'));
    const pointer = (name: string): number => {
      const found = pointers.get(name);
      if (found === undefined) throw new RangeError(`no scratch was planned for ${name}`);
      return found;
    };
    return {
      pointer,
      rows: (name, columns) => ({pointer: pointer(name), columns, stride: rowStride(columns)}),
    };
  }
}
