import {readFileSync, writeFileSync} from 'node:fs';
import {basename} from 'node:path';

/** Writes a page that is generated, or in part; with `--check` on the command line, fails where the file is out of step. */
export function generatedDoc(url, text) {
  if (!process.argv.includes('--check')) {
    writeFileSync(url, text);
    return;
  }
  if (readFileSync(url, 'utf8') === text) return;
  process.stderr.write(`${basename(url.pathname)} is out of step with its source: run "npm run docs"\n`);
  process.exitCode = 1;
}
