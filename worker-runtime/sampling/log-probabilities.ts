import type {TokenCandidate} from '../protocol.ts';
import type {Logits} from './logits.ts';
import {naturalLogarithm} from './natural-logarithm.ts';

/**
 * The log-probability of token `id`, and of the `top` most probable tokens by falling probability (lowest ID first on
 * ties), as the model gives them: at temperature 1, before penalties and truncation.
 *
 * @throws {GgufError} `logits-not-finite`
 */
export function logProbabilities(
  logits: Logits,
  id: number,
  top: number,
): {logprob: number; top: TokenCandidate[]} {
  const {values, ranking} = logits;
  const largest = values[logits.best()] as number;
  const normaliser = largest + naturalLogarithm(logits.sumOfExponentials(largest));
  const logprob = (token: number): number => (values[token] as number) - normaliser;
  const count = Math.min(top, values.length);
  if (count > 0) {
    ranking.begin(largest);
    ranking.reach(count);
  }
  const best = Array.from({length: count}, (_, rank) => ranking.id(rank));
  return {logprob: logprob(id), top: best.map((token) => ({id: token, logprob: logprob(token)}))};
}
