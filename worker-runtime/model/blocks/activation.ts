import {activations} from '../../core/core-exports.ts';
import type {CoreExports} from '../../core/core-exports.ts';
import type {ActivationKind, Xielu} from '../decoder-spec.ts';
import type {Rows} from '../scratch.ts';

/** Slope and limits of gpt-oss's gate. */
const clamped = {alpha: 1.702, limit: 7} as const;

/** up = activation(gate) ∘ up, or activation(up) without a gate; each `(tokens, length)`. */
export function activate(
  exports: CoreExports,
  activation: ActivationKind | Xielu,
  gate: Rows | null,
  {pointer, stride}: Rows,
  tokens: number,
): void {
  const count = (tokens * stride) / 4;
  if (typeof activation === 'object') {
    const {beta, epsilon} = activation;
    const negative = beta + softplus(activation.alphaN, exports);
    exports.xielu(pointer, pointer, count, negative, softplus(activation.alphaP, exports), beta, epsilon);
  } else if (activation === 'clamped-silu') {
    if (!gate) throw new RangeError('this activation needs a gate');
    exports.clampedSwiGlu(gate.pointer, pointer, pointer, clamped.alpha, clamped.limit, count);
  } else if (gate) {
    exports.activateGate(activations[activation], gate.pointer, pointer, pointer, count);
  } else {
    exports.activate(activations[activation], pointer, pointer, count);
  }
}

/** ln(1 + e^x) */
function softplus(x: number, {log, exp}: Pick<CoreExports, 'log' | 'exp'>): number {
  return Math.max(x, 0) + log(1 + exp(-Math.abs(x)));
}
