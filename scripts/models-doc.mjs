/** Writes `docs/models.md` from the architectures and from what their tests compare them with; with `--check`, fails where it is out of step. */
import {readdirSync, readFileSync} from 'node:fs';
import {build} from 'esbuild';
import {generatedDoc} from './generated-doc.mjs';

const target = new URL('../docs/models.md', import.meta.url);
const root = new URL('../', import.meta.url);
const folder = new URL('worker-runtime/model/architectures/', root);

async function load(path) {
  const {outputFiles} = await build({
    entryPoints: [new URL(path, root).pathname],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** What the comment before each exported function says: its first paragraph, without tags. */
function describedFunctions() {
  const described = new Map();
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const [, comment, name] of source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport function (\w+)/g)) {
      const text = comment
        .replace(/^ *\* ?/gm, ' ')
        .split(/\n *\n|@/)[0]
        .replace(/\s+/g, ' ')
        .trim();
      described.set(name, text);
    }
  }
  return described;
}

const {architectures} = await load('worker-runtime/model/architectures/index.ts');
const {referenceModels, embeddingModels} = await load('test/conformance/reference-models.ts');
const {tinyRecipes} = await load('test/helpers/gguf/architectures/index.ts');
const {tinyEncoders} = await load('test/helpers/gguf/architectures/encoders.ts');
const described = describedFunctions();
const synthetic = new Set(
  Object.values({...tinyRecipes, ...tinyEncoders}).map(({architecture}) => architecture),
);

const rows = [...architectures].map(([name, read]) => {
  const text = described.get(read.name);
  if (!text) throw new Error(`${read.name} (${name}) has no comment`);
  const checks = [
    ...(referenceModels[name] || embeddingModels[name] ? ['llama.cpp'] : []),
    ...(synthetic.has(name) ? ['plain forward pass'] : []),
  ];
  return `| \`${name}\` | ${text} | ${checks.join(', ') || 'nothing yet'} |`;
});

const text = `# Models

A file runs where its \`general.architecture\` is one of these. Anything else, a tensor that an architecture does not know, or a
setting that it does not have, is refused from the header, before the weights are downloaded, and the error names it.

This page is generated from \`worker-runtime/model/architectures/\` and the lists of the tests by \`npm run docs\`.

"llama.cpp" means: logits of a small model within 10⁻³ of llama.cpp's (f32 weights), and the same greedy tokens; of encoders, their
embeddings. "Plain forward pass" means: logits or states of small models with random weights against a reference in f64 that shares
no code with the decoder.

Encoders (the BERTs, EmbeddingGemma) make embeddings and generate nothing. A decoder whose file names a pooling (Qwen 3 Embedding is
a \`qwen3\`) makes embeddings, too.

| architecture | what it is | checked against |
|---|---|---|
${rows.join('\n')}

Models of several files, multimodal ones (their text part runs), adapters, and files for encoders and decoders at once are not
supported.
`;

generatedDoc(target, text);
