import {GgufError, GgufRuntime} from '../../worker-runtime/client/index.ts'; // On your site: 'gguf-chat/runtime'
import type {Diagnostics, ErrorData, ModelInfo} from '../../worker-runtime/client/index.ts';
import {decodePrompt, figuresOf, ratiosOf, repetitions} from '../../test/bench/measurement.mjs';
import type {Bench, Figure, MeasurementOptions, Sample} from '../../test/bench/measurement.mjs';
import {greedyRun} from '../../test/bench/page/greedy-run.js';
import {Rooflines} from '../../test/bench/page/rooflines.js';
import type {ModelFacts} from '../../test/bench/synthetic-gguf.mjs';
import type {Environment} from './environment.ts';
import type {BenchModel, Origin} from './models.ts';

/** All that is known of one model on this device; what the export has an array of. */
export interface Result {
  readonly schema: 1;
  readonly environment: Environment;
  readonly options: MeasurementOptions;
  readonly model: Origin & Partial<ModelFacts>;
  readonly loaded: ModelInfo | null;
  readonly diagnostics: Diagnostics | null;
  /** Each with its raw samples; of a measurement that ended early, those it had. */
  readonly figures: Readonly<Record<string, Figure>>;
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly status: 'complete' | 'stopped' | 'failed';
  readonly error: ErrorData | null;
}

/** What is being done, and the share of the whole that is done. */
export type OnProgress = (label: string, ratio: number) => void;

export interface MeasureRequest {
  readonly model: BenchModel;
  readonly options: MeasurementOptions;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Measures one model in a runtime of its own. Never rejects: a failure is part of the result, beside what there was before. */
export async function measureModel(request: MeasureRequest): Promise<Result> {
  const {signal} = request;
  const measurement = new Measurement(request);
  const end = (): void => measurement.end();
  signal.addEventListener('abort', end);
  try {
    await measurement.run();
    return measurement.result('complete');
  } catch (error) {
    if (signal.aborted) return measurement.result('stopped');
    return measurement.result('failed', GgufError.from(error).toData());
  } finally {
    signal.removeEventListener('abort', end);
    measurement.end();
  }
}

/** Making the model, and loading it. */
const stepsBefore = 2;
/** Reading memory, dot product, prefill, decode; the first repetition warms up. */
const stepsPerRepetition = 4;

class Measurement {
  readonly #request: MeasureRequest;
  readonly #rooflines = new Rooflines();
  readonly #samples: Sample[] = [];
  #runtime: GgufRuntime | null = null;
  #options: MeasurementOptions;
  #facts: Partial<ModelFacts> = {};
  #loaded: ModelInfo | null = null;
  #diagnostics: Diagnostics | null = null;
  #stepsDone = 0;

  constructor(request: MeasureRequest) {
    this.#request = request;
    this.#options = request.options;
  }

  async run(): Promise<void> {
    const {model, signal} = this.#request;
    signal.throwIfAborted();
    const {source, facts} = await model.open(signal, (ratio) => this.#report('making the model', ratio));
    this.#facts = facts;
    this.#beginStep('loading');
    const runtime = (this.#runtime = await GgufRuntime.boot({signal}));
    const loaded = await runtime.loadModel(source, {
      ...this.#contextLength(),
      onProgress: ({loadedBytes, totalBytes}) =>
        this.#report('loading', loadedBytes / (totalBytes ?? Infinity)),
    });
    this.#loaded = loaded;
    this.#options = fit(this.#options, loaded.contextLength);
    this.#diagnostics = await runtime.diagnostics();
    const measured = {...facts, fileBytes: loaded.fileBytes ?? 0};
    for await (const sample of repetitions(this.#bench(runtime, loaded), measured, this.#options)) {
      this.#samples.push(sample);
    }
  }

  /** Ends what is under way, and frees the memory. */
  end(): void {
    this.#rooflines.terminate();
    this.#runtime?.terminate();
  }

  result(status: Result['status'], error: ErrorData | null = null): Result {
    const facts = {...this.#facts, fileBytes: this.#loaded?.fileBytes ?? this.#facts.fileBytes ?? 0};
    const figures = this.#samples.length > 0 ? figuresOf(this.#samples, facts, this.#options) : {};
    return {
      schema: 1,
      environment: this.#request.environment,
      options: this.#options,
      model: {...this.#request.model.origin, ...facts},
      loaded: this.#loaded,
      diagnostics: this.#diagnostics,
      figures,
      ratios: ratiosOf(figures),
      status,
      error,
    };
  }

  /** A synthetic model says that it was trained for more than is needed; of others it is not known before they are loaded. */
  #contextLength(): {contextLength?: number} {
    if (this.#request.model.origin.source !== 'synthetic') return {};
    const {prompt, tokens} = this.#options;
    return {contextLength: Math.ceil((prompt + tokens + 1) / 256) * 256};
  }

  #bench(runtime: GgufRuntime, {vocabularySize}: ModelInfo): Bench {
    return {
      memoryRead: (bytes) => {
        this.#beginMeasuring('reading memory');
        return this.#rooflines.memoryRead(bytes);
      },
      dotPeak: () => {
        this.#beginMeasuring('dot product');
        return this.#rooflines.dotPeak();
      },
      run: (promptTokens, maxTokens) => {
        this.#beginMeasuring(maxTokens === 1 ? 'prefill' : 'decode');
        // Any tokens: speed does not depend on which.
        const tokens = Array.from({length: promptTokens}, (_, index) => (index * 37) % vocabularySize);
        return greedyRun(runtime, {tokens, maxTokens});
      },
    };
  }

  #beginMeasuring(what: string): void {
    const repetition = Math.floor((this.#stepsDone - stepsBefore + 1) / stepsPerRepetition);
    const when = repetition === 0 ? 'warm-up' : `repetition ${repetition} of ${this.#options.repetitions}`;
    this.#beginStep(`${when}: ${what}`);
  }

  #beginStep(label: string): void {
    this.#request.signal.throwIfAborted();
    this.#stepsDone++;
    this.#report(label, 0);
  }

  #report(label: string, ratioOfStep: number): void {
    const steps = stepsBefore + stepsPerRepetition * (this.#options.repetitions + 1);
    this.#request.onProgress(label, (this.#stepsDone + ratioOfStep) / steps);
  }
}

/** The amounts of work that a short context has room for. */
function fit(options: MeasurementOptions, contextLength: number): MeasurementOptions {
  const {prompt, tokens} = options;
  return {
    ...options,
    prompt: Math.min(prompt, contextLength - 1),
    tokens: Math.min(tokens, contextLength - decodePrompt),
  };
}
