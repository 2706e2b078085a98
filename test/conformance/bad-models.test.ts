import {expect} from '@open-wc/testing';
import {GgufError, GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ModelInfo} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {sharedFile} from '../helpers/shared.ts';

/**
 * Damaged models through the whole runtime. Files whose damage the GGUF reader must find have a suite of their own
 * (`bad-gguf.test.ts`); here are those that only the model, the tokenizer, the template or the first step can refuse,
 * the valid controls, and the randomly damaged ones.
 */
interface Case {
  readonly file: string;
  readonly defect: string;
  readonly stage: string;
  readonly field: string | null;
  readonly expected:
    'accept' | 'reject' | 'either' | 'accept-load-reject-render' | 'accept-load-bounded-render';
}

const stages = ['model', 'tokenizer', 'template', 'runtime', 'any', '-'];

/** A load, an answer and a rendering of these tiny files take milliseconds; a hang or a blow-up takes for ever. */
const boundMs = 10_000;
const mostWasmBytes = 64 * 2 ** 20;

/** Where the contradiction is between two fields, and we name the other one. */
const otherField: Readonly<Record<string, string>> = {
  // The first tensor that does not have the shape which the key demands; both shapes are in the message.
  'key-length-mismatch.gguf': 'blk.0.attn_q.weight',
};

async function readCases(): Promise<readonly Case[]> {
  const lines = (await (await sharedFile('bad-gguf/cases.jsonl')).text()).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Case).filter(({stage}) => stages.includes(stage));
}

type Attempt<T> = {readonly value: T} | {readonly error: GgufError};

/** What `action` ends with; anything but a registered error is a failure of the test. */
async function attempt<T>(action: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return {value: await action()};
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    expect(error.name, error.message).to.not.be.oneOf(['internal', 'compute-failed', 'worker-failed']);
    return {error};
  }
}

function expectNamed({name, message, field: named}: GgufError, {file, field}: Case): void {
  if (field === null || field === '-') return;
  // By then nobody knows any more which weight was not finite.
  if (name === 'logits-not-finite') return;
  const wanted = [field, otherField[file] ?? field];
  const told = `${named ?? ''} ${message}`;
  expect(
    wanted.some((name) => told.includes(name)),
    `"${told}" names none of ${wanted.join(', ')}`,
  ).to.be.true;
}

describe('damaged models', () => {
  let cases: readonly Case[];
  let runtime: GgufRuntime;
  let resident: ModelInfo;
  let healthy: readonly number[];

  const ask = async (): Promise<readonly number[]> => {
    await runtime.resetContext();
    return (await runtime.generate({tokens: [1, 70, 80], maxTokens: 4}).result).tokens;
  };
  const restore = async (): Promise<void> => {
    resident = await runtime.loadModel(tinyLlama());
  };

  before(async () => {
    cases = await readCases();
    runtime = await GgufRuntime.boot();
    await restore();
    healthy = await ask();
  });
  after(() => runtime.terminate());

  /** Loads the file and, where that succeeds, uses all of it: tokenizer, template, decoder. */
  async function run(one: Case): Promise<void> {
    const started = performance.now();
    const bytes = await (await sharedFile(`bad-gguf/${one.file}`)).arrayBuffer();
    const load = await attempt(() => runtime.loadModel(bytes));
    if ('error' in load) {
      expect(one.expected, `refused: ${load.error.message}`).to.be.oneOf(['reject', 'either']);
      expectNamed(load.error, one);
      // The model before is untouched.
      expect((await runtime.diagnostics()).model).to.deep.equal(resident);
    } else {
      expect(one.expected, 'accepted').to.not.equal('reject');
      expect(load.value.memory.total).to.be.lessThan(mostWasmBytes);
      await useAll(one);
      await restore();
    }
    expect(performance.now() - started, 'milliseconds').to.be.lessThan(boundMs);
    expect(await ask()).to.deep.equal(healthy);
  }

  async function useAll(one: Case): Promise<void> {
    const text = await attempt(() => runtime.tokenize('Hello, wörld! 🙂', {addSpecial: true}));
    if ('value' in text) await runtime.detokenize(text.value);
    const render = await attempt(() =>
      runtime.applyTemplate([{role: 'user', content: 'hi'}], {addGenerationPrompt: true}),
    );
    const generated = await attempt(() => runtime.generate({prompt: 'Hello', maxTokens: 4}).result);
    if (one.expected === 'accept-load-reject-render') {
      if (!('error' in render)) throw new Error('the template was rendered');
      expect(render.error.name).to.equal('chat-template');
      expectNamed(render.error, one);
    }
    if (one.expected === 'accept' || one.stage === 'template') {
      if ('error' in generated) throw generated.error;
      expect(generated.value.usage.completionTokens).to.be.at.least(0);
    }
  }

  for (const stage of stages) {
    it(`of stage "${stage}" end as they must`, async function () {
      this.timeout(300_000);
      const ofStage = cases.filter((one) => one.stage === stage);
      expect(ofStage).to.not.be.empty;
      const failures: string[] = [];
      for (const one of ofStage) {
        try {
          await run(one);
        } catch (error) {
          failures.push(`${one.file} (${one.defect}; ${one.expected}): ${String(error)}`);
          runtime.terminate();
          runtime = await GgufRuntime.boot();
          await restore();
        }
      }
      expect(failures, failures.join('\n')).to.be.empty;
    });
  }
});
