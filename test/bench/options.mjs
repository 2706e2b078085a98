import {parseArgs} from 'node:util';
import {modelTypes} from './model-types.mjs';
import {shapes} from './shapes.mjs';

/** Names, eight in a line. */
const wrapped = (names) =>
  Array.from(
    {length: Math.ceil(names.length / 8)},
    (_, line) => `                      ${names.slice(line * 8, line * 8 + 8).join(', ')}`,
  ).join(',\n');

const shapeList = Object.entries(shapes)
  .map(([name, {note}]) => `                      ${name.padEnd(13)} ${note}`)
  .join('\n');

export const help = `Usage: npm run bench -- [options]

Measures decode and prefill in Chromium, beside what the hardware gives and what wllama reaches on the same file in
the same run. Needs "npm run build" first. Writes the model files, once, to test/bench/models.

  --shape NAME        default 215m:
${shapeList}
  --type LIST         default Q8_0; with commas: one after the other; all: every one; mixes end in _M:
${wrapped(modelTypes)}
  --core LIST         auto, relaxed, baseline; default auto; with commas: one after the other
  --prompt N          tokens of the prefill, default 512
  --tokens N          tokens of the decode, default 128
  --peer-prompt N     tokens of the prefill that is compared with the peer, default 128 (the peer needs seconds for them)
  --peer-tokens N     tokens of the peer's decode, default 64
  --repetitions N     measured ones, after one to warm up; default 5
  --isolated          sends COOP and COEP: a cross-origin isolated page
  --no-peer           leaves wllama out
  --json FILE         where the result with all samples goes, default test/bench/results/<shape>-<types>-<cores>.json
  --summary           prints one table with a row for each type and core instead of a table for each
  --docs              puts what is printed into docs/benchmarks.md, too
  --help
`;

const count = {type: 'string'};

function wholeNumber(name, text, least) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number from ${least}, not "${text}"`);
}

function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return value;
  throw new Error(`--${name} must be one of ${allowed.join(', ')}, not "${value}"`);
}

/** @throws {Error} naming the option */
export function parseOptions(args) {
  const {values} = parseArgs({
    args,
    options: {
      shape: {type: 'string', default: '215m'},
      type: {type: 'string', default: 'Q8_0'},
      core: {type: 'string', default: 'auto'},
      prompt: {...count, default: '512'},
      tokens: {...count, default: '128'},
      'peer-prompt': {...count, default: '128'},
      'peer-tokens': {...count, default: '64'},
      repetitions: {...count, default: '5'},
      isolated: {type: 'boolean', default: false},
      'no-peer': {type: 'boolean', default: false},
      json: {type: 'string'},
      summary: {type: 'boolean', default: false},
      docs: {type: 'boolean', default: false},
      help: {type: 'boolean', default: false},
    },
  });
  const number = (name, least) => wholeNumber(name, values[name], least);
  const list = (name, allowed) =>
    values[name] === 'all' ? allowed : values[name].split(',').map((value) => oneOf(name, value, allowed));
  const prompt = number('prompt', 3);
  return {
    help: values.help,
    shape: oneOf('shape', values.shape, Object.keys(shapes)),
    types: list('type', modelTypes),
    cores: list('core', ['auto', 'relaxed', 'baseline']),
    prompt,
    tokens: number('tokens', 2),
    peerPrompt: Math.min(prompt, number('peer-prompt', 3)),
    peerTokens: number('peer-tokens', 2),
    repetitions: number('repetitions', 1),
    isolated: values.isolated,
    withPeer: !values['no-peer'],
    json: values.json,
    summary: values.summary,
    docs: values.docs,
  };
}
