/**
 * Writes the table "which model for a browser" of the README, from the shapes of well-known models: the bytes of the file and
 * of the memory, each computed from the tensors. With `--check`, fails where the README is out of step.
 */
import {readFileSync} from 'node:fs';
import {shapes, tensorsOf} from '../test/bench/shapes.mjs';
import {generatedDoc} from './generated-doc.mjs';

/** Bits of a weight, scales included. */
const bits = {Q8_0: 8.5, Q4_0: 4.5};
const contextLength = 2048;
const bytesOfHalf = 2;
const models = {
  'smollm2-135m': ['SmolLM2 135M', 'phones; short, simple answers'],
  'smollm2-360m': ['SmolLM2 360M', 'a good first choice'],
  'llama-3.2-1b': ['Llama 3.2 1B', 'desktops; the best answers of these'],
};

function bytesOf(shape, type) {
  return tensorsOf(shape).reduce((sum, {dimensions, isMatrix}) => {
    const elements = dimensions.reduce((product, length) => product * length, 1);
    return sum + (isMatrix ? (elements * bits[type]) / 8 : elements * 4);
  }, 0);
}

const kvBytesOf = ({layerCount, headCountKv, headLength}) =>
  2 * layerCount * headCountKv * headLength * contextLength * bytesOfHalf;
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

const rows = Object.entries(models).map(([shape, [name, note]]) => {
  const sizes = Object.keys(bits).map((type) => bytesOf(shapes[shape], type));
  return `| ${name} | ${sizes.map(megabytes).join(' | ')} | ${megabytes(kvBytesOf(shapes[shape]))} | ${note} |`;
});
const table = `| model | Q8_0 | Q4_0 | context of ${contextLength} | good for |
|---|---:|---:|---:|---|
${rows.join('\n')}`;

const readme = new URL('../README.md', import.meta.url);
const marks = /(<!-- model sizes -->\n)[\s\S]*?(\n<!-- \/model sizes -->)/;
generatedDoc(
  readme,
  readFileSync(readme, 'utf8').replace(marks, (_, start, end) => `${start}\n${table}\n${end}`),
);
