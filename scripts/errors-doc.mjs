/** Writes `docs/errors.md` from the error registry; with `--check`, fails where the file is out of step. */
import {readFileSync} from 'node:fs';
import {transformSync} from 'esbuild';
import {generatedDoc} from './generated-doc.mjs';

const target = new URL('../docs/errors.md', import.meta.url);
const source = readFileSync(new URL('../worker-runtime/errors.ts', import.meta.url), 'utf8');
const {code} = transformSync(source, {loader: 'ts', format: 'esm', target: 'es2022'});
const {errorRegistry} = await import(`data:text/javascript,${encodeURIComponent(code)}`);

const rows = Object.entries(errorRegistry)
  .sort(([, a], [, b]) => a.code - b.code)
  .map(
    ([name, {code: number, stage, recoverable, help}]) =>
      `| ${number} | \`${name}\` | ${stage} | ${recoverable ? 'yes' : 'no'} | ${help} |`,
  );

const text = `# Errors

Every error that leaves the runtime is a \`GgufError\` with a stable number (\`code\`), a stable name (\`name\`), the stage in
which it arose, a message that names what it is about (also as \`field\`), and \`recoverable\`: whether the same runtime goes on
working. Numbers are never reused. A refused file, prompt or setting leaves the model, the context and the settings that were
there before.

This page is generated from \`worker-runtime/errors.ts\` by \`npm run docs\`.

| number | name | stage | recoverable | what it means, what helps |
|---|---|---|---|---|
${rows.join('\n')}
`;

generatedDoc(target, text);
