/** What one core gives to WebAssembly in this run: reading memory, and the relaxed dot product from registers. */

const pageBytes = 65536;
/** Data begin here: the first page belongs to the module. */
const dataStart = pageBytes;
const megabyte = 2 ** 20;

const memory = new WebAssembly.Memory({initial: 2});
let exports;

async function start() {
  const response = await fetch(new URL('../../../wasm/build/bench.wasm', import.meta.url)).catch(() => null);
  if (!response?.ok) return;
  const bytes = await response.arrayBuffer();
  // The module uses relaxed SIMD throughout; an engine without it can read memory no other way here.
  if (!WebAssembly.validate(bytes)) return;
  ({exports} = (await WebAssembly.instantiate(bytes, {env: {memory}})).instance);
}
const started = start();

/**
 * Makes room for `bytes`, filled with data: pages that were never written would all be one page of zeros.
 *
 * @throws {RangeError} where the browser refuses the memory
 */
function fill(bytes) {
  const needed = Math.ceil((dataStart + bytes) / pageBytes);
  const missing = needed - memory.buffer.byteLength / pageBytes;
  if (missing <= 0) return;
  memory.grow(missing);
  const words = new Uint32Array(memory.buffer, dataStart);
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 0x9e3779b1);
}

/** GB/s, in one stream and in four; `null` where there is not so much memory. */
function readMemory(asked) {
  const bytes = Math.ceil(asked / megabyte) * megabyte;
  try {
    fill(bytes);
  } catch {
    return null;
  }
  const rounds = Math.max(3, Math.ceil((512 * megabyte) / bytes));
  const rate = (read) => {
    read(dataStart, megabyte, 50); // compiled and warm before the clock runs
    const begin = performance.now();
    read(dataStart, bytes, rounds);
    return (bytes * rounds) / (performance.now() - begin) / 1e6;
  };
  return {oneStream: rate(exports.readMemory), fourStreams: rate(exports.readStreams)};
}

function peakOfDots() {
  exports.dotPeak(dataStart, 1e6);
  const rounds = 2e7;
  const begin = performance.now();
  exports.dotPeak(dataStart, rounds);
  return (exports.dotPeakProducts.value * rounds) / (performance.now() - begin) / 1e6;
}

self.onmessage = async ({data}) => {
  await started;
  if (!exports) self.postMessage(null);
  else self.postMessage(data.kind === 'memory-read' ? readMemory(data.bytes) : peakOfDots());
};
