/**
 * The gated delta rule (https://arxiv.org/abs/2412.06464): a memory of values by keys that forgets, and that is corrected
 * by what it recalls wrongly. Tokens ascending; sums over keys ascending: the bits do not depend on slices.
 */

/** Vectors of values that are computed together. */
const VALUES: usize = 4;

/**
 * For each head of values, with the head of keys h mod keyHeads, decay g = e^(rate softplus(alpha + dtBias)) and
 * strength s = 1 / (1 + e^-beta):
 *
 *     state[i][j] *= g
 *     delta[j] = s (v[j] - the sum of state[i][j] k[i])
 *     state[i][j] += k[i] delta[j]
 *     y[j] = the sum of state[i][j] q[i] * scale
 *
 * q, k: f32 (tokens, keyHeads, keyLength). v, y: f32 (tokens, heads, valueLength). alpha, beta: f32 (tokens, heads).
 * dtBias, rates: (heads). States: f32 (heads, keyLength, valueLength); valueLength: a multiple of 16. Strides in bytes;
 * that of q, k and v is one.
 */
export function gatedDeltaRule(
  q: usize,
  k: usize,
  v: usize,
  alpha: usize,
  beta: usize,
  dtBias: usize,
  rates: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  heads: i32,
  keyHeads: i32,
  keyLength: i32,
  valueLength: i32,
  tokens: i32,
  scale: f32,
  qkvStride: usize,
  gateStride: usize,
  yStride: usize,
): void {
  const keyBytes = <usize>keyLength << 2, valueBytes = <usize>valueLength << 2;
  const stateBytes = keyBytes * <usize>valueLength;
  for (let head: i32 = 0; head < heads; head++) {
    const at = <usize>head << 2, state = <usize>head * stateBytes;
    const key = <usize>(head % keyHeads) * keyBytes, value = <usize>head * valueBytes;
    let from = stateFrom + state;
    for (let token: i32 = 0; token < tokens; token++) {
      const row = <usize>token * qkvStride, gates = <usize>token * gateStride + at;
      const decay = decayOf(load<f32>(alpha + gates) + load<f32>(dtBias + at), load<f32>(rates + at));
      const strength = <f32>(1 / (1 + NativeMath.exp(-(<f64>load<f32>(beta + gates)))));
      const out = y + <usize>token * yStride + value;
      for (let j: usize = 0; j < valueBytes; j += VALUES << 4) {
        updateValues(
          q + row + key,
          k + row + key,
          v + row + value + j,
          from + j,
          stateTo + state + j,
          out + j,
          keyBytes,
          valueBytes,
          decay,
          strength,
          scale,
        );
      }
      from = stateTo + state;
    }
  }
}

/** e^(rate softplus(x)) */
function decayOf(x: f32, rate: f32): f32 {
  const wide = <f64>x;
  const softplus = max(wide, 0) + NativeMath.log1p(NativeMath.exp(-abs(wide)));
  return <f32>NativeMath.exp(softplus * <f64>rate);
}

/** Sixteen values of a head with one token. */
function updateValues(
  q: usize,
  k: usize,
  v: usize,
  from: usize,
  to: usize,
  out: usize,
  keyBytes: usize,
  valueBytes: usize,
  decay: f32,
  strength: f32,
  scale: f32,
): void {
  const decays = f32x4.splat(decay), strengths = f32x4.splat(strength);
  let m0 = f32x4.splat(0), m1 = m0, m2 = m0, m3 = m0;
  let p = from, r = to;
  for (let i: usize = 0; i < keyBytes; i += 4, p += valueBytes, r += valueBytes) {
    const key = v128.load32_splat(k + i);
    const s0 = f32x4.mul(v128.load(p), decays), s1 = f32x4.mul(v128.load(p, 16), decays);
    const s2 = f32x4.mul(v128.load(p, 32), decays), s3 = f32x4.mul(v128.load(p, 48), decays);
    store4(r, s0, s1, s2, s3);
    m0 = f32x4.add(m0, f32x4.mul(s0, key));
    m1 = f32x4.add(m1, f32x4.mul(s1, key));
    m2 = f32x4.add(m2, f32x4.mul(s2, key));
    m3 = f32x4.add(m3, f32x4.mul(s3, key));
  }
  const d0 = f32x4.mul(f32x4.sub(v128.load(v), m0), strengths);
  const d1 = f32x4.mul(f32x4.sub(v128.load(v, 16), m1), strengths);
  const d2 = f32x4.mul(f32x4.sub(v128.load(v, 32), m2), strengths);
  const d3 = f32x4.mul(f32x4.sub(v128.load(v, 48), m3), strengths);
  let y0 = f32x4.splat(0), y1 = y0, y2 = y0, y3 = y0;
  r = to;
  for (let i: usize = 0; i < keyBytes; i += 4, r += valueBytes) {
    const key = v128.load32_splat(k + i), query = v128.load32_splat(q + i);
    const s0 = f32x4.add(v128.load(r), f32x4.mul(key, d0));
    const s1 = f32x4.add(v128.load(r, 16), f32x4.mul(key, d1));
    const s2 = f32x4.add(v128.load(r, 32), f32x4.mul(key, d2));
    const s3 = f32x4.add(v128.load(r, 48), f32x4.mul(key, d3));
    store4(r, s0, s1, s2, s3);
    y0 = f32x4.add(y0, f32x4.mul(s0, query));
    y1 = f32x4.add(y1, f32x4.mul(s1, query));
    y2 = f32x4.add(y2, f32x4.mul(s2, query));
    y3 = f32x4.add(y3, f32x4.mul(s3, query));
  }
  const scales = f32x4.splat(scale);
  store4(out, f32x4.mul(y0, scales), f32x4.mul(y1, scales), f32x4.mul(y2, scales), f32x4.mul(y3, scales));
}

// @ts-ignore: decorator
@inline
function store4(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}

/** x /= max(√(sum of x²), epsilon) for each of `rows` rows of `n` f32, `stride` bytes apart. */
export function l2Norm(x: usize, n: i32, epsilon: f32, rows: i32, stride: usize): void {
  const bytes = <usize>n << 2;
  for (let row: i32 = 0; row < rows; row++, x += stride) {
    let sum: f64 = 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const value = <f64>load<f32>(x + i);
      sum += value * value;
    }
    const factor: f32 = 1 / max(<f32>sqrt<f64>(sum), epsilon);
    for (let i: usize = 0; i < bytes; i += 4) store<f32>(x + i, load<f32>(x + i) * factor);
  }
}
