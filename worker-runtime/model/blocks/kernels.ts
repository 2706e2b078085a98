import type {Core} from '../../core/core.ts';
import type {NormSpec, QueryKeyNorm} from '../decoder-spec.ts';
import type {Products} from '../products.ts';
import type {Rows, Scratch} from '../scratch.ts';
import type {KvCache} from '../kv-cache.ts';
import type {Checkpoint} from '../../checkpoint.ts';
import type {NormWeights, Vector} from '../weights.ts';

/** What the blocks of a decoder compute with. */
export interface Kernels {
  readonly core: Core;
  readonly scratch: Scratch;
  readonly products: Products;
}

/** A slice on its way through the layers. */
export interface Pass {
  /** Of the first token. */
  readonly position: number;
  readonly tokens: number;
  readonly cache: KvCache;
  readonly checkpoint: Checkpoint;
  /** Tokens of a text that is seen as a whole: the keys and values of all are stored. Left out for decoders. */
  readonly textLength?: number;
}

/** Where a recurrent layer reads a state before the slice, and where it writes that behind it. */
export interface StatePlace {
  readonly from: number;
  readonly to: number;
}

/** @param skipped bytes of the mixer's states before the one that is wanted */
export function layerState({cache: {layers, states}}: Pass, layer: number, skipped = 0): StatePlace {
  return statePlace(states, layers[layer]?.stateOffset, layer, skipped);
}

/** The state of a layer's network. */
export function networkState({cache: {layers, states}}: Pass, layer: number): StatePlace {
  return statePlace(states, layers[layer]?.networkStateOffset, layer, 0);
}

function statePlace(
  states: KvCache['states'],
  offset: number | undefined,
  layer: number,
  skipped: number,
): StatePlace {
  if (offset === undefined || !states) throw new RangeError(`layer ${layer} has no state`);
  return {from: states.current + offset + skipped, to: states.next + offset + skipped};
}

/** A part of a layer: y from x, each `(tokens, embeddingLength)`. */
export interface Block {
  run(x: Rows, y: Rows, pass: Pass): Promise<void>;
  /** What the block must know of all slices of a text before it runs with the first one. */
  prepare?(x: Rows, pass: Pass): Promise<void>;
}

/** y = norm(x), each `(tokens, columns)`; y may be x. */
export function normalise(
  {core: {exports}}: Kernels,
  {kind, epsilon}: NormSpec,
  {weight, bias}: NormWeights,
  x: Rows,
  y: Rows,
  tokens: number,
): void {
  const factors = weight?.pointer ?? 0;
  const {columns} = x;
  if (kind === 'rms') {
    exports.rmsNorm(x.pointer, factors, y.pointer, columns, epsilon, tokens, x.stride, y.stride);
    if (bias) exports.addBias(y.pointer, bias.pointer, columns, tokens, y.stride);
  } else {
    const summands = bias?.pointer ?? 0;
    exports.layerNorm(x.pointer, factors, summands, y.pointer, columns, epsilon, tokens, x.stride, y.stride);
  }
}

/** x = norm(x), head by head: x is `(tokens, heads · length)`. */
export function normaliseHeads(
  kernels: Kernels,
  norm: QueryKeyNorm,
  weights: NormWeights,
  x: Rows,
  heads: number,
  tokens: number,
): void {
  if (norm.over === 'whole') {
    normalise(kernels, norm, weights, x, x, tokens);
    return;
  }
  const columns = x.columns / heads;
  const headBytes = columns * 4;
  if (norm.over === 'head') {
    for (let token = 0; token < tokens; token++) {
      const rows = {pointer: x.pointer + token * x.stride, columns, stride: headBytes};
      normalise(kernels, norm, weights, rows, rows, heads);
    }
    return;
  }
  for (let head = 0; head < heads; head++) {
    const rows = {pointer: x.pointer + head * headBytes, columns, stride: x.stride};
    const own = (vector: Vector | null): Vector | null =>
      vector && {pointer: vector.pointer + head * headBytes, length: columns};
    normalise(kernels, norm, {weight: own(weights.weight), bias: own(weights.bias)}, rows, rows, tokens);
  }
}
