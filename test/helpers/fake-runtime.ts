import type {ChatModelSource, ChatRuntime} from '../../components/session-types.ts';
import {GenerationRun, GgufError, defaultSampling} from '../../worker-runtime/client/index.ts';
import type {
  FinishReason,
  GenerateOptions,
  GenerateResult,
  LoadOptions,
  ModelInfo,
  ModelInspection,
  SamplingSettings,
  SequenceHandle,
  StoredModel,
  StoredModels,
  TokenEvent,
} from '../../worker-runtime/client/index.ts';

const contextLength = 256;

export const fakeModel: ModelInfo = {
  model: {kind: 'model', id: 1, generation: 1},
  sequence: {kind: 'sequence', id: 1, generation: 1},
  name: 'Tiny Llama',
  architecture: 'llama',
  parameterCount: 1000,
  tensorTypes: {F32: 3},
  fileBytes: 4000,
  vocabularySize: 300,
  layerCount: 1,
  embeddingLength: 64,
  contextLength,
  trainingContextLength: contextLength,
  kvType: 'f16',
  generates: true,
  pooling: null,
  hasChatTemplate: false,
  shards: 1,
  memory: {weights: {F32: 4000}, kvCache: 1, scratch: 1, logits: 1, total: 65536},
  timings: {headerMs: 1, tensorsMs: 1, totalMs: 2},
};

/** What the header of the fake model says. */
export const fakeInspection: ModelInspection = {
  refusal: null,
  model: {...fakeModel, memoryByShard: [65536], largestContextLength: contextLength},
  fileBytes: 4000,
  headerBytes: 1000,
  stored: false,
};

export const fakeStored: StoredModel = {
  id: 'f00',
  url: 'https://models.example/stored.gguf',
  state: 'installed',
  bytes: 1_000_000,
  totalBytes: 1_000_000,
  sha256: null,
  addedAt: 0,
  usedAt: 0,
};

/** A load that waits for the test; `signal` aborts it as in the Worker. */
export class FakeLoad {
  readonly result: Promise<ModelInfo>;
  #settle!: {resolve: (model: ModelInfo) => void; reject: (error: GgufError) => void};

  constructor(
    readonly source: ChatModelSource,
    readonly options: LoadOptions,
  ) {
    this.result = new Promise((resolve, reject) => (this.#settle = {resolve, reject}));
    const abort = (): void => this.fail(new GgufError('load-aborted', 'The load was cancelled'));
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort);
  }

  progress(loadedBytes: number, totalBytes: number | null): void {
    this.options.onProgress?.({phase: 'tensors', loadedBytes, totalBytes});
  }

  finish(model: ModelInfo = fakeModel): void {
    this.#settle.resolve(model);
  }

  fail(error: GgufError): void {
    this.#settle.reject(error);
  }
}

/** An answer that the test dictates; `signal` ends it as in the Worker. */
export class FakeRun {
  readonly run: GenerationRun;
  #text = '';
  #reasoning = '';
  #count = 0;
  #onToken!: (token: TokenEvent) => void;
  #settle!: {resolve: (result: GenerateResult) => void; reject: (error: GgufError) => void};

  constructor(readonly params: GenerateOptions) {
    const result = new Promise<GenerateResult>((resolve, reject) => (this.#settle = {resolve, reject}));
    const cancel = (): void => this.finish('cancelled');
    this.run = new GenerationRun(
      (onToken) => {
        this.#onToken = onToken;
        return result;
      },
      () => Promise.resolve(cancel()),
    );
    if (params.signal?.aborted) cancel();
    params.signal?.addEventListener('abort', cancel);
  }

  prefill(done: number, total: number): void {
    this.params.onPrefill?.({done, total, cached: 0});
  }

  think(text: string): void {
    this.#reasoning += text;
    this.#onToken({id: 1, text: '', reasoning: text, index: this.#count++});
  }

  write(...texts: string[]): void {
    for (const text of texts) {
      this.#text += text;
      this.#onToken({id: 1, text, index: this.#count++});
    }
  }

  finish(finishReason: FinishReason = 'stop'): void {
    this.#settle.resolve({
      text: this.#text,
      reasoning: this.#reasoning === '' ? null : this.#reasoning,
      tokens: Array.from({length: this.#count}, () => 1),
      finishReason,
      usage: {
        promptTokens: 10,
        cachedTokens: 0,
        completionTokens: this.#count,
        contextUsed: 10 + this.#count,
        contextLength,
      },
      timings: {prefillMs: 5, reasoningMs: null, firstTokenMs: 6, decodeMs: 100, totalMs: 106},
    });
  }

  fail(error: GgufError): void {
    this.#settle.reject(error);
  }
}

/** A runtime without a Worker: loads succeed at once unless `holdLoads` is set, answers are dictated. */
export class FakeRuntime implements ChatRuntime {
  readonly core = 'baseline';
  readonly version = '0.0.0';
  readonly loads: FakeLoad[] = [];
  readonly runs: FakeRun[] = [];
  readonly calls: string[] = [];
  holdLoads = false;
  /** What is on the device. */
  stored: readonly StoredModel[] = [];
  /** What every model is said to be. */
  inspection: ModelInspection = {refusal: null, model: null, fileBytes: null, headerBytes: 0, stored: false};
  sampling: SamplingSettings = defaultSampling;

  get load(): FakeLoad {
    return latest(this.loads, 'load');
  }

  get run(): FakeRun {
    return latest(this.runs, 'run');
  }

  readonly store: StoredModels = {
    list: () => Promise.resolve(this.stored),
    remove: (name) => {
      this.calls.push(`remove ${name}`);
      this.stored = [];
      return Promise.resolve({freedBytes: 0});
    },
    estimate: () => Promise.resolve({modelBytes: 0, usedBytes: 0, quotaBytes: 0, persisted: false}),
    persist: () => Promise.resolve(false),
  };

  openSequence(): Promise<SequenceHandle> {
    this.calls.push('openSequence');
    return Promise.resolve({kind: 'sequence', id: 2, generation: 1});
  }

  closeSequence(): Promise<void> {
    this.calls.push('closeSequence');
    return Promise.resolve();
  }

  inspect(): Promise<ModelInspection> {
    return Promise.resolve(this.inspection);
  }

  loadModel(source: ChatModelSource, options: LoadOptions = {}): Promise<ModelInfo> {
    const load = new FakeLoad(source, options);
    this.loads.push(load);
    if (!this.holdLoads) load.finish();
    return load.result;
  }

  /** Refuses negative temperatures, as an example of an invalid setting. */
  async configureSampling(settings: Partial<SamplingSettings>): Promise<SamplingSettings> {
    const temperature = settings.temperature ?? 0;
    if (!(temperature >= 0)) {
      throw new GgufError('invalid-setting', `temperature must be ≥ 0, not ${temperature}`, {
        field: 'temperature',
      });
    }
    this.sampling = {...this.sampling, ...settings};
    return this.sampling;
  }

  generate(options: GenerateOptions): GenerationRun {
    const run = new FakeRun(options);
    this.runs.push(run);
    return run.run;
  }

  async resetContext(): Promise<void> {
    this.calls.push('reset-context');
  }

  async freeModel(): Promise<{freedBytes: number}> {
    this.calls.push('free-model');
    return {freedBytes: 65536};
  }

  terminate(): void {
    this.calls.push('terminate');
    const gone = new GgufError('terminated', 'The runtime was terminated');
    for (const activity of [...this.loads, ...this.runs]) activity.fail(gone);
  }

  tokenize = notFaked;
  detokenize = notFaked;
  applyTemplate = notFaked;
  evaluate = notFaked;
  embed = notFaked;
  diagnostics = notFaked;
}

function notFaked(): Promise<never> {
  return Promise.reject(new Error('no part of the fake'));
}

function latest<T>(items: readonly T[], what: string): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error(`no ${what} was begun`);
  return item;
}
