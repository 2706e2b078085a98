import {GgufError} from '../errors.ts';
import type {MemoryPlan} from '../protocol.ts';
import {arenaBase, pageBytes} from './core-exports.ts';

/** What a piece of memory is for; weights are counted by their tensor type. */
export type MemoryKind = 'kvCache' | 'scratch' | 'logits' | `weights:${string}`;

const alignment = 64;
/** A 32-bit memory has 65536 pages. */
const addressable = 65536 * pageBytes;

/**
 * Hands out addresses of a memory that does not exist yet: the layout is the plan. When everything has its place, the
 * memory is made in exactly that size and never grows, so views over it stay valid.
 */
export class Arena {
  #top = arenaBase;
  readonly #bytes = new Map<MemoryKind, number>();

  /** The address of `bytes` bytes, aligned to 64. */
  allocate(bytes: number, kind: MemoryKind): number {
    const address = this.#top;
    const padded = Math.ceil(bytes / alignment) * alignment;
    this.#top += padded;
    this.#bytes.set(kind, (this.#bytes.get(kind) ?? 0) + padded);
    return address;
  }

  /** Exact bytes by kind. @throws {GgufError} `memory-plan` beyond what 32 bits can address */
  plan(): MemoryPlan {
    const weights: Record<string, number> = {};
    for (const [kind, bytes] of this.#bytes) {
      if (kind.startsWith('weights:')) weights[kind.slice('weights:'.length)] = bytes;
    }
    const plan: MemoryPlan = {
      weights,
      kvCache: this.#bytes.get('kvCache') ?? 0,
      scratch: this.#bytes.get('scratch') ?? 0,
      logits: this.#bytes.get('logits') ?? 0,
      total: Math.ceil(this.#top / pageBytes) * pageBytes,
    };
    if (plan.total > addressable) throw tooLarge(plan);
    return plan;
  }
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function tooLarge(plan: MemoryPlan): GgufError {
  const weights = Object.values(plan.weights).reduce((sum, bytes) => sum + bytes, 0);
  return new GgufError(
    'memory-plan',
    `The model needs ${gibibytes(plan.total)} (weights ${gibibytes(weights)}, KV cache ${gibibytes(plan.kvCache)}); ` +
      `WebAssembly can address 4 GiB. A smaller context or a smaller quantisation would help.`,
    {field: 'contextLength'},
  );
}
