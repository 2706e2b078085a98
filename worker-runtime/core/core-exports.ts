/**
 * Compute formats: what every stored tensor type is repacked into. Rows are interleaved by 16. Types that hold the same
 * values share one.
 */
export const computeFormats = {
  F32: 0,
  F16: 1,
  BF16: 2,
  Q8_0: 3,
  Q4_0: 4,
  Q4_1: 5,
  Q5_0: 6,
  Q5_1: 7,
  IQ4_NL: 8,
  MXFP4: 9,
  NVFP4: 10,
  Q1_0: 11,
  Q2_0: 11,
  Q2_K: 12,
  Q3_K: 13,
  Q4_K: 14,
  Q5_K: 15,
  Q6_K: 16,
  TQ1_0: 17,
  TQ2_0: 17,
  IQ4_XS: 18,
  IQ3_S: 19,
  IQ3_XXS: 20,
  IQ2_XXS: 21,
  IQ1_S: 22,
  IQ2_XS: 23,
  IQ2_S: 23,
  IQ1_M: 24,
} as const;

/** A tensor type that has a compute format. */
export type ComputeType = keyof typeof computeFormats;
export type ComputeFormat = (typeof computeFormats)[ComputeType];

export const activations = {silu: 0, gelu: 1, relu: 2, 'relu-squared': 3} as const;

export const kvFormats = {f32: 0, f16: 1, q8_0: 2} as const;
export const ropeStyles = {normal: 0, neox: 1} as const;

/** Bytes of a candidate of a ranking: u32 ID, f32 logit. */
export const candidateBytes = 8;

/** Rows of a group, in every compute format. */
export const groupRows = 16;

/** Positions of a block of the KV cache: rings have whole blocks. */
export const kvBlockPositions = 32;

/** Bytes of a page of WebAssembly memory. */
export const pageBytes = 65536;

/** Where the arena begins: below lie the core's own constants and stack. */
export const arenaBase = pageBytes;

/**
 * What the WebAssembly core exports (see `wasm/assembly/index.ts`, the ABI). Pointers are byte offsets; strides are in
 * bytes; every buffer is aligned to 64 bytes and its rows are padded to 16 floats.
 */
export interface CoreExports {
  probeRelaxedDot(): number;
  setDotMode(mode: number): void;

  groupBytes(format: number, columns: number): number;
  repack(
    format: number,
    type: number,
    blockBytes: number,
    source: number,
    stride: number,
    rows: number,
    columns: number,
    target: number,
  ): void;
  dequantizeRow(format: number, matrix: number, row: number, columns: number, target: number): void;

  activationBytes(format: number, columns: number, tokens: number): number;
  prepareActivations(
    format: number,
    x: number,
    columns: number,
    tokens: number,
    stride: number,
    target: number,
  ): void;
  matmul(
    format: number,
    matrix: number,
    activations: number,
    y: number,
    rows: number,
    columns: number,
    tokens: number,
    stride: number,
  ): void;

  add(y: number, a: number, b: number, count: number): void;
  addScaled(y: number, a: number, b: number, factor: number, count: number): void;
  addBias(x: number, bias: number, count: number, tokens: number, stride: number): void;
  multiply(y: number, a: number, b: number, count: number): void;
  causalConvolution(
    x: number,
    kernel: number,
    bias: number,
    stateFrom: number,
    stateTo: number,
    y: number,
    channels: number,
    kernelLength: number,
    tokens: number,
    xStride: number,
    yStride: number,
    silu: number,
  ): void;
  mamba2Scan(
    x: number,
    dt: number,
    dtBias: number,
    a: number,
    d: number,
    stateFrom: number,
    stateTo: number,
    y: number,
    heads: number,
    headLength: number,
    stateLength: number,
    groups: number,
    tokens: number,
    xStride: number,
    dtStride: number,
    yStride: number,
  ): void;
  mambaScan(
    x: number,
    dt: number,
    a: number,
    b: number,
    c: number,
    d: number,
    stateFrom: number,
    stateTo: number,
    y: number,
    channels: number,
    stateLength: number,
    tokens: number,
    xStride: number,
    bcStride: number,
    yStride: number,
  ): void;
  gatedDeltaRule(
    q: number,
    k: number,
    v: number,
    alpha: number,
    beta: number,
    dtBias: number,
    rates: number,
    stateFrom: number,
    stateTo: number,
    y: number,
    heads: number,
    keyHeads: number,
    keyLength: number,
    valueLength: number,
    tokens: number,
    scale: number,
    qkvStride: number,
    gateStride: number,
    yStride: number,
  ): void;
  wkv7(
    r: number,
    w: number,
    k: number,
    v: number,
    a: number,
    b: number,
    stateFrom: number,
    stateTo: number,
    y: number,
    heads: number,
    headLength: number,
    tokens: number,
    stride: number,
    yStride: number,
  ): void;
  tokenShift(
    x: number,
    before: number,
    shares: number,
    y: number,
    count: number,
    tokens: number,
    stride: number,
  ): void;
  sigmoid(x: number, count: number): void;
  mixBySigmoid(gate: number, x: number, y: number, count: number): void;
  keyDecay(x: number, count: number): void;
  removalKeys(
    k: number,
    rates: number,
    removal: number,
    replacement: number,
    a: number,
    b: number,
    heads: number,
    headLength: number,
    epsilon: number,
    tokens: number,
    stride: number,
  ): void;
  addBonus(
    r: number,
    k: number,
    v: number,
    weights: number,
    gate: number,
    y: number,
    heads: number,
    headLength: number,
    tokens: number,
    stride: number,
  ): void;
  l2Norm(x: number, count: number, epsilon: number, rows: number, stride: number): void;
  sigmoidGate(gate: number, x: number, y: number, count: number): void;
  scale(x: number, factor: number, count: number): void;
  softCap(x: number, cap: number, count: number): void;
  clamp(x: number, limit: number, count: number): void;
  rmsNorm(
    x: number,
    weight: number,
    y: number,
    count: number,
    epsilon: number,
    tokens: number,
    xStride: number,
    yStride: number,
  ): void;
  layerNorm(
    x: number,
    weight: number,
    bias: number,
    y: number,
    count: number,
    epsilon: number,
    tokens: number,
    xStride: number,
    yStride: number,
  ): void;
  matchMagnitude(
    x: number,
    reference: number,
    count: number,
    tokens: number,
    xStride: number,
    referenceStride: number,
  ): void;
  cutBelow(x: number, count: number, deviations: number, tokens: number, stride: number): void;
  activate(kind: number, x: number, y: number, count: number): void;
  activateGate(kind: number, gate: number, up: number, y: number, count: number): void;
  clampedSwiGlu(gate: number, up: number, y: number, alpha: number, limit: number, count: number): void;
  xielu(
    x: number,
    y: number,
    count: number,
    alphaN: number,
    alphaP: number,
    beta: number,
    epsilon: number,
  ): void;

  ropeTable(
    target: number,
    frequencies: number,
    pairs: number,
    position: number,
    tokens: number,
    scale: number,
  ): void;
  rope(
    x: number,
    table: number,
    heads: number,
    headLength: number,
    pairs: number,
    tokens: number,
    stride: number,
    style: number,
  ): void;

  kvBytes(kvType: number, heads: number, headLength: number, capacity: number): number;
  storeK(
    kvType: number,
    k: number,
    cache: number,
    heads: number,
    headLength: number,
    capacity: number,
    position: number,
    tokens: number,
    stride: number,
  ): void;
  storeV(
    kvType: number,
    v: number,
    cache: number,
    heads: number,
    headLength: number,
    capacity: number,
    position: number,
    tokens: number,
    stride: number,
  ): void;
  attentionScratchBytes(headLength: number, headsPerKv: number, tokens: number): number;
  attention(
    kvType: number,
    q: number,
    kCache: number,
    vCache: number,
    target: number,
    scratch: number,
    kvHeads: number,
    headsPerKv: number,
    headLength: number,
    capacity: number,
    position: number,
    tokens: number,
    scale: number,
    window: number,
    softCap: number,
    sinks: number,
    slopes: number,
    qStride: number,
    targetStride: number,
    textLength: number,
  ): void;

  argmax(x: number, count: number): number;
  tallyBytes(): number;
  tallyDistances(logits: number, count: number, largest: number, tally: number): void;
  lastBucket(tally: number, first: number, wanted: number): number;
  rankBuckets(
    logits: number,
    count: number,
    largest: number,
    first: number,
    last: number,
    candidates: number,
    spare: number,
    tally: number,
  ): number;
  sumOfExponentials(logits: number, count: number, largest: number): number;
  accumulateWeights(
    logits: number,
    stride: number,
    count: number,
    largest: number,
    temperature: number,
    leastDistance: number,
    start: number,
    sums: number,
  ): number;

  pow(x: number, y: number): number;
  log(x: number): number;
  exp(x: number): number;
}
