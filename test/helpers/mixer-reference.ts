/** The recurrences of mixers that keep a state, in f64, from the formulas of their papers: one channel or head each. */

export type Row = readonly number[];

/** What a recurrence gives: for each token, and the state behind the last one. */
export interface Recurrence<Output, State> {
  readonly outputs: readonly Output[];
  readonly state: State;
}

/** ln(1 + e^x) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** bias + the sum of taps[k] · inputs[t - taps.length + 1 + k], where `before` comes before the inputs, oldest first. */
export function convolve(inputs: Row, before: Row, taps: Row, bias = 0): number[] {
  const all = [...before, ...inputs];
  return inputs.map((_, t) => taps.reduce((sum, tap, k) => sum + tap * all[t + k]!, bias));
}

export interface Scan {
  /** For each token. */
  readonly inputs: Row;
  readonly steps: Row;
  /** For each token, as long as the state. */
  readonly b: readonly Row[];
  readonly c: readonly Row[];
  /** As long as the state: in Mamba-2 all the same. */
  readonly rates: Row;
  readonly skip: number;
}

/** One channel of Mamba: h = e^(Δ A) h + Δ B x, y = C · h + D x (https://arxiv.org/abs/2312.00752, section 3). */
export function scan({inputs, steps, b, c, rates, skip}: Scan, before: Row): Recurrence<number, Row> {
  let state = before;
  const outputs = inputs.map((x, t) => {
    const step = steps[t]!;
    state = state.map((old, n) => Math.exp(step * rates[n]!) * old + step * b[t]![n]! * x);
    return state.reduce((sum, value, n) => sum + c[t]![n]! * value, skip * x);
  });
  return {outputs, state};
}

export interface DeltaRule {
  /** For each token. */
  readonly queries: readonly Row[];
  readonly keys: readonly Row[];
  readonly values: readonly Row[];
  readonly decays: Row;
  readonly strengths: Row;
  readonly scale: number;
}

/**
 * One head of the gated delta rule, S = α S (1 - β k kᵀ) + β v kᵀ, y = S q (https://arxiv.org/abs/2412.06464, equation
 * 10); rows of S are values.
 *
 * @param recallSign -1; +1 makes of absolute inputs the sum of the magnitudes of all that is added
 */
export function deltaRule(
  {queries, keys, values, decays, strengths, scale}: DeltaRule,
  before: readonly Row[],
  recallSign = -1,
): Recurrence<Row, readonly Row[]> {
  let state = before;
  const outputs = queries.map((query, t) => {
    const key = keys[t]!;
    state = state.map((row, j) => {
      const kept = row.map((old) => old * decays[t]!);
      const delta = strengths[t]! * (values[t]![j]! + recallSign * dot(kept, key));
      return kept.map((old, i) => old + delta * key[i]!);
    });
    return state.map((row) => dot(row, query) * scale);
  });
  return {outputs, state};
}

/** Rows for each token. */
export type Wkv7 = Readonly<Record<'r' | 'w' | 'k' | 'v' | 'a' | 'b', readonly Row[]>>;

/**
 * One head of RWKV-7: S = S (diag(w) + a bᵀ) + v kᵀ, y = S r (https://arxiv.org/abs/2503.14456, section 4); rows of S are
 * values.
 */
export function wkv7({r, w, k, v, a, b}: Wkv7, before: readonly Row[]): Recurrence<Row, readonly Row[]> {
  let state = before;
  const outputs = r.map((query, t) => {
    state = state.map((row, i) => {
      const removed = dot(row, a[t]!);
      return row.map((old, j) => old * w[t]![j]! + removed * b[t]![j]! + v[t]![i]! * k[t]![j]!);
    });
    return state.map((row) => dot(row, query));
  });
  return {outputs, state};
}

function dot(a: Row, b: Row): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
