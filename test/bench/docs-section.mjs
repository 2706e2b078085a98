import {readFileSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';

const page = resolve(import.meta.dirname, '../../docs/benchmarks.md');

/**
 * Puts what a command printed into `docs/benchmarks.md`, between the comments `<!-- NAME -->` and `<!-- /NAME -->`.
 *
 * @throws {Error} where the page has no such section
 */
export function writeDocsSection(name, markdown) {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/benchmarks.md has no section "${name}"`);
  writeFileSync(page, `${text.slice(0, start + begin.length)}\n\n${markdown.trim()}\n\n${text.slice(stop)}`);
}
