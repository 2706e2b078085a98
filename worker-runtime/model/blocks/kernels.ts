import type {Core} from '../../core/core.ts';
import type {NormSpec} from '../decoder-spec.ts';
import type {Products} from '../products.ts';
import type {Rows, Scratch} from '../scratch.ts';
import type {KvCache} from '../kv-cache.ts';
import type {Checkpoint} from '../../checkpoint.ts';
import type {NormWeights} from '../weights.ts';

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
}

/** Where a recurrent layer reads its state before the slice, and writes that behind it. */
export function layerState(
  {cache: {layers, states}}: Pass,
  layer: number,
): {readonly from: number; readonly to: number} {
  const offset = layers[layer]?.stateOffset;
  if (offset === undefined || !states) throw new RangeError(`layer ${layer} has no state`);
  return {from: states.current + offset, to: states.next + offset};
}

/** A part of a layer: y from x, each `(tokens, embeddingLength)`. */
export interface Block {
  run(x: Rows, y: Rows, pass: Pass): Promise<void>;
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
