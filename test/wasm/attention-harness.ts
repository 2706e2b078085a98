/** Attention in the arena of a core, and what it must give. */
import {
  attend,
  dequantize,
  f16ToNumber,
  numberToF16,
  quantizeActivations,
} from '../helpers/core-reference.ts';
import {kvType, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

export interface Shape {
  readonly kvHeads: number;
  readonly headsPerKv: number;
  readonly headDim: number;
  /** Positions of the ring. */
  readonly capacity: number;
  readonly window: number;
  /** Where it is there, scores s become cap · tanh(s / cap). */
  readonly softCap?: number;
  /** Of each head, a score without a value. */
  readonly sinks?: readonly number[];
  /** Of each head, what its scores fall by for a position of distance. */
  readonly slopes?: readonly number[];
}

export type KvName = keyof typeof kvType;
export type Rows = readonly Float32Array[];
export interface Input {
  readonly q: Rows;
  readonly k: Rows;
  readonly v: Rows;
}

const amplitude = {q: 3, k: 3, v: 2};

/** Queries, keys and values of `tokens` positions: a row is all heads of a token. */
export function randomTokens({kvHeads, headsPerKv, headDim}: Shape, tokens: number): Input {
  const rows = (size: number, seed: number, scale: number) =>
    Array.from({length: tokens}, (_, t) => randomFloats(size, seed + t, scale));
  const kvSize = kvHeads * headDim;
  return {
    q: rows(kvSize * headsPerKv, 1, amplitude.q),
    k: rows(kvSize, 2000, amplitude.k),
    v: rows(kvSize, 4000, amplitude.v),
  };
}

/** A cache in the arena of a core, to which slices are fed. */
export class Attention {
  readonly #core: CoreHarness;
  readonly #type: number;
  readonly #shape: Shape;
  readonly #rowStride: number;
  readonly #k: number;
  readonly #v: number;

  constructor(core: CoreHarness, type: KvName, shape: Shape) {
    const {kvHeads, headsPerKv, headDim, capacity} = shape;
    core.reset();
    this.#core = core;
    this.#type = kvType[type];
    this.#shape = shape;
    this.#rowStride = Math.ceil((kvHeads * headsPerKv * headDim) / 16) * 64;
    const bytes = core.run('kvBytes', this.#type, kvHeads, headDim, capacity);
    [this.#k, this.#v] = [core.allocate(bytes), core.allocate(bytes)];
  }

  /** Tokens [first, first + count) of `input` in one call; their outputs. */
  feed(input: Input, first: number, count: number): Float32Array[] {
    const core = this.#core;
    const {kvHeads, headsPerKv, headDim, capacity, window, softCap = 0, sinks, slopes} = this.#shape;
    const stride = this.#rowStride;
    const put = (rows: Rows): number => {
      const padded = new Float32Array((count * stride) / 4).fill(NaN);
      rows.slice(first, first + count).forEach((row, t) => padded.set(row, (t * stride) / 4));
      return core.put(padded);
    };
    const cacheSizes = [kvHeads, headDim, capacity, first, count, stride];
    core.run('storeK', this.#type, put(input.k), this.#k, ...cacheSizes);
    core.run('storeV', this.#type, put(input.v), this.#v, ...cacheSizes);
    const out = core.allocate(count * stride);
    const scratch = core.allocate(core.run('attentionScratchBytes', headDim, headsPerKv, count));
    const sizes = [
      kvHeads,
      headsPerKv,
      headDim,
      capacity,
      first,
      count,
      1 / Math.sqrt(headDim),
      window,
      softCap,
      sinks ? core.put(Float32Array.from(sinks)) : 0,
      slopes ? core.put(Float32Array.from(slopes)) : 0,
    ];
    core.run('attention', this.#type, put(input.q), this.#k, this.#v, out, scratch, ...sizes, stride, stride);
    return Array.from({length: count}, (_, t) => core.f32(out + t * stride, kvHeads * headsPerKv * headDim));
  }
}

/** Feeds all tokens in slices of the given size; the outputs of all tokens. */
export function run(
  core: CoreHarness,
  type: KvName,
  shape: Shape,
  input: Input,
  slice: number,
): Float32Array[] {
  const attention = new Attention(core, type, shape);
  const outputs: Float32Array[] = [];
  for (let first = 0; first < input.q.length; first += slice) {
    outputs.push(...attention.feed(input, first, Math.min(slice, input.q.length - first)));
  }
  return outputs;
}

/** A head's keys or values as the cache keeps them. */
const stored: Record<KvName, (head: Float32Array) => Float32Array> = {
  f32: (head) => head,
  f16: (head) => head.map((x) => f16ToNumber(numberToF16(x))),
  // The same blocks as those of activations: d = largest / 127 as f16, integers rounded half to even.
  q8_0: (head) => dequantize(quantizeActivations(head)),
};

/** One head of one token, in f64, from the values that the cache keeps. */
export function expectedHead(
  type: KvName,
  shape: Shape,
  input: Input,
  token: number,
  head: number,
): Float64Array {
  const {headsPerKv, headDim, window, softCap = 0, sinks, slopes} = shape;
  const kvHead = Math.floor(head / headsPerKv);
  const from = window > 0 ? Math.max(0, token - window + 1) : 0;
  const visible = (rows: Rows) =>
    rows
      .slice(from, token + 1)
      .map((row) => stored[type](row.slice(kvHead * headDim, (kvHead + 1) * headDim)));
  const q = input.q[token]!.slice(head * headDim, (head + 1) * headDim);
  return attend(q, visible(input.k), visible(input.v), 1 / Math.sqrt(headDim), {
    softCap,
    slope: slopes?.[head] ?? 0,
    sink: sinks?.[head],
  });
}

/**
 * What f32 may differ from f64, of whatever type the cache is: the reference starts from the same stored values.
 *
 * - A score is 1 / √n times a sum of n = headDim products below 9. Partial sums of random products stay below about
 *   9 √n; each of n additions is off by up to 2^-24 of that, in random directions: √n · 9 √n · 2^-24, times 1 / √n.
 * - A weight is e^score, so its relative error is that of the score, and two units of 2^-23 of the exponential.
 * - A soft cap adds 2 units of 2^-23 of the cap, as in elementwise.test.ts; it makes no difference larger.
 * - A slope is taken off times the distance: two numbers up to 70 slopes large are rounded, each by up to 2^-24 of it.
 * - The sums over up to 70 positions, of values below 2, add some 2^-24 each, like √70 · 2^-24.
 */
export function tolerance({headDim, softCap = 0, slopes = [0]}: Shape): number {
  const product = amplitude.q * amplitude.k * Math.sqrt(headDim) * 2 ** -24;
  const score = product + 2 * softCap * 2 ** -23 + 2 * 70 * Math.max(...slopes) * 2 ** -24;
  const exponential = 2 * 2 ** -23;
  const sums = Math.sqrt(70) * 2 ** -24;
  // A weight enters its product and the sum that divides: twice.
  return amplitude.v * 2 * (score + exponential + sums);
}
