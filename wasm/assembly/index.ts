/**
 * The core's ABI. What each function does stands where it is defined.
 *
 * All pointers are byte offsets into the imported memory `env.memory`; the core allocates nothing and uses,
 * of its own, static data below 64 KiB only. Buffers begin at multiples of 16 bytes (matrices: 64). Rows of
 * f32 have strides that are multiples of 16 floats, and what pads a row may be read and written. Shapes are row-major,
 * the last index runs fastest.
 */
export {probeRelaxedDot, setDotMode} from './matmul/dot-mode';

export {groupBytes} from './formats/group';
export {repack} from './formats/repack';
export {dequantizeRow} from './formats/dequantize';

export {activationBytes, prepareActivations} from './matmul/activations';
export {matmul} from './matmul/matmul';

export {activate, activateGate, clampedSwiGlu, sigmoidGate, xielu} from './ops/activation';
export {add, addBias, addScaled, clamp, multiply, scale, softCap} from './ops/elementwise';
export {cutBelow} from './ops/gaussian-cutoff';
export {layerNorm} from './ops/layer-norm';
export {matchMagnitude} from './ops/magnitude';
export {gatedDeltaRule, l2Norm} from './ops/delta-rule';
export {mamba2Scan, mambaScan} from './ops/state-space';
export {causalConvolution} from './ops/causal-convolution';
export {wkv7} from './ops/wkv7';
export {addBonus, keyDecay, mixBySigmoid, removalKeys, sigmoid, tokenShift} from './ops/rwkv7';
export {rmsNorm} from './ops/rms-norm';
export {rope, ropeTable} from './ops/rope';
export {kvBytes} from './ops/kv-cache';
export {storeK, storeV} from './ops/kv-store';
export {attention, attentionScratchBytes} from './ops/attention';
export {argmax} from './ops/reductions';
export {exp, log, pow} from './ops/math';
export {lastBucket, rankBuckets, tallyBytes, tallyDistances} from './sampling/ranking';
export {accumulateWeights, sumOfExponentials} from './sampling/weights';

export {heapBase} from './heap-base';
