import type {ExpertsSpec} from '../decoder-spec.ts';

export interface Choice {
  readonly expert: number;
  readonly weight: number;
}

/** The least sum that chosen probabilities are divided by: the smallest normal f16. */
const leastSum = 2 ** -14;

/**
 * The experts of one token, best first; of equal ones the lower first.
 *
 * @param scores what the router gives, (count)
 * @param bias added to the probabilities for the choice alone, (count)
 * @param exp the core's: the engines' own differ in the last bits
 */
export function chooseExperts(
  spec: ExpertsSpec,
  scores: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  exp: (x: number) => number,
): readonly Choice[] {
  const given = Array.from(scores);
  const probabilities = probabilitiesOf(spec.routing, given, exp);
  const wanted = inBestGroups(
    spec.groups,
    probabilities.map((probability, expert) => probability + (bias?.[expert] ?? 0)),
  );
  const best = wanted
    .map((_, expert) => expert)
    .sort((a, b) => (wanted[b] ?? 0) - (wanted[a] ?? 0) || a - b)
    .slice(0, spec.used);
  const weights = weigh(
    spec,
    best.map((expert) => probabilities[expert] ?? NaN),
    exp,
  );
  return best.map((expert, rank) => ({expert, weight: weights[rank] ?? NaN}));
}

function probabilitiesOf(
  routing: ExpertsSpec['routing'],
  scores: readonly number[],
  exp: (x: number) => number,
): readonly number[] {
  if (routing === 'softmax') return softmax(scores, exp);
  if (routing === 'sigmoid') return scores.map((score) => 1 / (1 + exp(-score)));
  return scores;
}

function weigh(
  {routing, normalised, scale}: ExpertsSpec,
  chosen: readonly number[],
  exp: (x: number) => number,
): readonly number[] {
  const weights = routing === 'softmax-of-chosen' ? softmax(chosen, exp) : chosen;
  const sum = normalised
    ? Math.max(
        weights.reduce((total, weight) => total + weight, 0),
        leastSum,
      )
    : 1;
  return weights.map((weight) => (weight / sum) * scale);
}

/** Scores of experts outside of the best groups become -Infinity. A group is as good as its two best experts together. */
function inBestGroups(groups: ExpertsSpec['groups'], scores: readonly number[]): readonly number[] {
  if (!groups || groups.used >= groups.count) return scores;
  const size = scores.length / groups.count;
  const goodness = Array.from({length: groups.count}, (_, group) => {
    const [first = -Infinity, second = 0] = scores
      .slice(group * size, (group + 1) * size)
      .sort((a, b) => b - a);
    return first + second;
  });
  const best = goodness
    .map((_, group) => group)
    .sort((a, b) => (goodness[b] ?? 0) - (goodness[a] ?? 0) || a - b)
    .slice(0, groups.used);
  return scores.map((score, expert) => (best.includes(Math.floor(expert / size)) ? score : -Infinity));
}

function softmax(scores: readonly number[], exp: (x: number) => number): readonly number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
