/**
 * Times the products of one matrix in the page, without a model. Bundled with the sources of the runtime by
 * `test/bench/kernels.mjs`: the core is no part of the public API.
 */
import {Arena} from '../../../worker-runtime/core/arena.ts';
import {chooseCore} from '../../../worker-runtime/core/choose-core.ts';
import {computeFormats, groupRows} from '../../../worker-runtime/core/core-exports.ts';
import {Core} from '../../../worker-runtime/core/core.ts';
import {Random} from '../random.mjs';
import {byteLength, tensorTypes} from '../tensor-types.mjs';

const columns = 1024;
/** Multiply-adds of one sample, about. */
const work = 2e8;

/** One group of rows as a file stores them. */
function randomGroup(type) {
  const words = new Uint32Array(byteLength(type, groupRows * columns) / 4);
  new Random(`kernel ${type}`).fill(words);
  const bytes = new Uint8Array(words.buffer);
  tensorTypes[type].shape(bytes, 1 / Math.sqrt(columns));
  return bytes;
}

/** A matrix of `rows` rows that are all copies of one group, activations for `tokens` tokens, and results. */
async function prepare(chosen, type, rows, tokens) {
  const format = computeFormats[type];
  const {id, blockBytes} = tensorTypes[type];
  const stored = randomGroup(type);
  const {groupBytes, activationBytes} = chosen.calculator;
  const arena = new Arena();
  const matrix = arena.allocate((rows / groupRows) * groupBytes(format, columns), 'weights:bench');
  const activations = arena.allocate(activationBytes(format, columns, tokens), 'scratch');
  const x = arena.allocate(tokens * columns * 4, 'scratch');
  const y = arena.allocate(tokens * rows * 4, 'scratch');
  const source = arena.allocate(stored.length, 'scratch');
  const core = await Core.instantiate(chosen, arena.plan().total);
  const bytes = groupBytes(format, columns);
  core.u8(source, stored.length).set(stored);
  core.exports.repack(format, id, blockBytes, source, stored.length / groupRows, groupRows, columns, matrix);
  const all = core.u8(matrix, (rows / groupRows) * bytes);
  for (let at = bytes; at < all.length; at += bytes) all.copyWithin(at, 0, bytes);
  const random = new Random('activations');
  core.f32(x, tokens * columns).forEach((_, index, values) => (values[index] = random.next() - 0.5));
  core.exports.prepareActivations(format, x, columns, tokens, columns * 4, activations);
  const multiply = () => core.exports.matmul(format, matrix, activations, y, rows, columns, tokens, rows * 4);
  return {multiply, bytes: all.length};
}

// What is undefined comes from the command as null.
globalThis.page = {
  coreVariant: async (preferred) => (await chooseCore(preferred ?? undefined)).core.variant,

  /** Milliseconds of one product, `samples` times, and the bytes of the matrix. */
  async measure({core, type, rows, tokens, samples}) {
    const {core: chosen} = await chooseCore(core ?? undefined);
    const {multiply, bytes} = await prepare(chosen, type, rows, tokens);
    const times = Math.max(1, Math.round(work / (rows * columns * tokens)));
    const sample = () => {
      const start = performance.now();
      for (let index = 0; index < times; index++) multiply();
      return (performance.now() - start) / times;
    };
    // The engine compiles functions anew while they run for the first times.
    for (let index = 0; index < 4; index++) sample();
    return {bytes, macs: rows * columns * tokens, milliseconds: Array.from({length: samples}, sample)};
  },
};
