import {GgufError} from '../errors.ts';

/**
 * The ID of the largest of the first `count` logits, the lowest one on ties.
 *
 * @throws {GgufError} `logits-not-finite`
 */
export function bestLogit(logits: Float32Array, count: number): number {
  let best = 0;
  let largest = -Infinity;
  for (let id = 0; id < count; id++) {
    const logit = logits[id] as number;
    // NaN and the infinities are what does not give zero here.
    if (logit - logit !== 0) throw notFinite(id, logit);
    if (logit > largest) {
      largest = logit;
      best = id;
    }
  }
  return best;
}

function notFinite(id: number, logit: number): GgufError {
  return new GgufError('logits-not-finite', `The logit of token ${id} is ${logit}`, {field: `logits[${id}]`});
}
