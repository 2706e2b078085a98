/**
 * Prints the sizes of what a page downloads and fails where one is over its budget. Budgets are what the release before
 * needed plus a little: raise one only together with the reason.
 */
import {existsSync, readFileSync} from 'node:fs';
import {gzipSync} from 'node:zlib';

/** Bytes. */
const budgets = [
  {file: 'wasm/build/core-baseline.wasm', raw: 114_688, gzip: 43_000},
  {file: 'wasm/build/core-relaxed.wasm', raw: 143_360, gzip: 49_000},
  {file: 'dist/gguf-chat.worker.js', raw: 440_000, gzip: 196_000},
  {file: 'dist/gguf-chat.js', raw: 550_000, gzip: 228_000},
];

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);

let over = false;
for (const {file, raw, gzip} of budgets) {
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first`);
  const bytes = readFileSync(file);
  const packed = gzipSync(bytes, {level: 9}).length;
  const verdict = bytes.length > raw || packed > gzip ? 'OVER BUDGET' : 'ok';
  over ||= verdict !== 'ok';
  const limits = `(budget ${kilobytes(raw).trim()}, ${kilobytes(gzip).trim()} gzip)`;
  process.stdout.write(
    `${file.padEnd(32)} ${kilobytes(bytes.length)} ${kilobytes(packed)} gzip  ${limits}  ${verdict}\n`,
  );
}
process.exitCode = over ? 1 : 0;
