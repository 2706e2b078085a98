import {expect} from '@open-wc/testing';
import {TemplateProgram} from '../../worker-runtime/chat-template/template-program.ts';
import {createChatTemplate} from '../../worker-runtime/chat-template/chat-template.ts';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import {findReasoningFormat} from '../../worker-runtime/reasoning/reasoning-format.ts';
import {openSource} from '../../worker-runtime/source/open-source.ts';
import {createTokenizer} from '../../worker-runtime/tokenizer/create-tokenizer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {sharedFile, sharedJson} from '../helpers/shared.ts';

interface TemplateGolden {
  readonly template: string;
  readonly now: string;
  readonly cases: readonly {
    readonly name: string;
    readonly context: Readonly<Record<string, unknown>>;
    readonly rendered?: string;
    readonly error?: boolean;
  }[];
}

const templates = [
  'CohereForAI-c4ai-command-r7b-12-2024-tool_use',
  'HuggingFaceTB-SmolLM3-3B',
  'LFM2-8B-A1B',
  'Mistral-Small-3.2-24B-Instruct-2506',
  'Qwen-Qwen2.5-7B-Instruct',
  'Qwen-Qwen3-0.6B',
  'Qwen3.5-4B',
  'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B',
  'deepseek-ai-DeepSeek-V3.1',
  'google-gemma-2-2b-it',
  'google-gemma-4-31B-it',
  'ibm-granite-granite-3.3-2B-Instruct',
  'meta-llama-Llama-3.2-3B-Instruct',
  'microsoft-Phi-3.5-mini-instruct',
  'mistralai-Mistral-Nemo-Instruct-2407',
  'openai-gpt-oss-120b',
];

describe('chat templates of well-known models', () => {
  for (const name of templates) {
    it(`${name} renders to the letter`, async () => {
      const golden = await sharedJson<TemplateGolden>(`chat-templates/${name}.json`);
      const source = await (await sharedFile(`chat-templates/templates/${name}.jinja`)).text();
      const program = new TemplateProgram(source);
      const now = new Date('2025-01-15T12:00:00');
      for (const {name: caseName, context, rendered, error} of golden.cases) {
        if (error) await expectRefusal(() => program.render(context, now), 'chat-template');
        else expect(program.render(context, now), caseName).to.equal(rendered);
      }
    });
  }
});

/** How each of them marks thoughts; the others do not think. */
const firstMarks: Readonly<Record<string, string>> = {
  'CohereForAI-c4ai-command-r7b-12-2024-tool_use': '<|START_THINKING|>',
  'HuggingFaceTB-SmolLM3-3B': '<think>',
  'Qwen-Qwen3-0.6B': '<think>',
  'Qwen3.5-4B': '<think>',
  'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B': '<think>',
  'deepseek-ai-DeepSeek-V3.1': '<think>',
  'google-gemma-4-31B-it': '<|channel>thought\n',
  'ibm-granite-granite-3.3-2B-Instruct': '<think>',
  'openai-gpt-oss-120b': '<|channel|>analysis<|message|>',
};

describe('thoughts in the formats of well-known models', () => {
  for (const name of templates) {
    it(name, async () => {
      const source = await (await sharedFile(`chat-templates/templates/${name}.jinja`)).text();
      expect(findReasoningFormat(source)?.[0]?.text).to.equal(firstMarks[name]);
    });
  }
});

interface BadFile {
  readonly file: string;
  readonly defect: string;
  readonly stage: string;
  readonly expected: string;
}

describe('hostile chat templates', function () {
  this.timeout(60_000);

  it('load, and end in bounded time when rendered', async () => {
    const lines = (await (await sharedFile('bad-gguf/cases.jsonl')).text()).trim().split('\n');
    const cases = lines
      .map((line) => JSON.parse(line) as BadFile)
      .filter(({expected}) => expected.startsWith('accept-load-'));
    expect(cases.length).to.be.greaterThan(10);
    for (const {file, expected} of cases) {
      const bytes = await (await sharedFile(`bad-gguf/${file}`)).arrayBuffer();
      const {metadata} = await readHeader(await openSource(bytes, {signal: new AbortController().signal}));
      const template = createChatTemplate(metadata, await createTokenizer(metadata));
      const render = (): string => template.render([{role: 'user', content: 'hello'}]);
      const started = performance.now();
      if (expected === 'accept-load-reject-render') {
        await expectRefusal(render, 'chat-template', 'tokenizer.chat_template');
      } else {
        try {
          expect(render().length).to.be.lessThan(10_000_000);
        } catch {
          await expectRefusal(render, 'chat-template');
        }
      }
      expect(performance.now() - started, `${file} takes too long`).to.be.lessThan(10_000);
    }
  });
});
