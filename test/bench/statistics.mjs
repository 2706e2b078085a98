/** The value that `share` of `values` do not exceed (nearest rank: always one of them). */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median, 95th percentile and the raw samples. Of a rate the 95th percentile is the one on the slow side: 95 % of the
 * samples are at least as fast.
 *
 * @param {string} unit
 * @param {number[]} samples
 */
export function summarize(unit, samples) {
  const isRate = unit.endsWith('/s');
  const negated = samples.map((sample) => -sample);
  return {
    unit,
    median: median(samples),
    p95: isRate ? -percentile(negated, 0.95) : percentile(samples, 0.95),
    samples,
  };
}
