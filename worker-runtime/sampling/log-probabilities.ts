import type {TokenCandidate} from '../protocol.ts';
import {bestLogit} from './best-logit.ts';
import {exponential, naturalLogarithm} from './exponential.ts';

/**
 * The log-probability of token `id`, and of the `top` most probable tokens by falling probability (lowest ID first on
 * ties), as the model gives them: at temperature 1, before penalties and truncation.
 *
 * @param logits (vocabularySize)
 * @throws {GgufError} `logits-not-finite`
 */
export function logProbabilities(
  logits: Float32Array,
  id: number,
  top: number,
): {logprob: number; top: TokenCandidate[]} {
  const largest = logits[bestLogit(logits, logits.length)] as number;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += exponential((logits[i] as number) - largest);
  const normaliser = largest + naturalLogarithm(total);
  const logprob = (token: number): number => (logits[token] as number) - normaliser;
  return {
    logprob: logprob(id),
    top: best(logits, top).map((token) => ({id: token, logprob: logprob(token)})),
  };
}

/** `count` is small: an insertion into a short sorted list beats every cleverer selection. */
function best(logits: Float32Array, count: number): number[] {
  const ids: number[] = [];
  if (count === 0) return ids;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (ids.length === count && !(logit > (logits[ids.at(-1) ?? 0] as number))) continue;
    let place = ids.length;
    while (place > 0 && logit > (logits[ids[place - 1] as number] as number)) place--;
    ids.splice(place, 0, id);
    if (ids.length > count) ids.pop();
  }
  return ids;
}
