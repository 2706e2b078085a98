import {readFileSync, writeFileSync} from 'node:fs';
import {basename} from 'node:path';

/** Writes a generated page of `docs/`; with `--check` on the command line, fails where the file is out of step. */
export function generatedDoc(url, text) {
  if (!process.argv.includes('--check')) {
    writeFileSync(url, text);
    return;
  }
  if (readFileSync(url, 'utf8') === text) return;
  process.stderr.write(`docs/${basename(url.pathname)} is out of step with its source: run "npm run docs"\n`);
  process.exitCode = 1;
}
