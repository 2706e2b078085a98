/** A model in the page itself, loaded as the Worker does it, for what no command can ask for. */
import {chooseCore} from '../../worker-runtime/core/choose-core.ts';
import {Evaluation} from '../../worker-runtime/evaluation.ts';
import {Generation} from '../../worker-runtime/generation.ts';
import {loadModel} from '../../worker-runtime/load-model.ts';
import type {LoadedModel} from '../../worker-runtime/loaded-model.ts';
import type {ActivationType} from '../../worker-runtime/model/weights.ts';
import {defaultSampling} from '../../worker-runtime/protocol.ts';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';
import {Scheduler} from '../../worker-runtime/scheduler.ts';
import {Sequence} from '../../worker-runtime/sequence.ts';

interface PageModelOptions {
  readonly activations: ActivationType;
  readonly core?: CoreVariant;
}

const ignore = (): void => undefined;

export class PageModel {
  readonly model: LoadedModel;
  readonly #sequence: Sequence;

  private constructor(model: LoadedModel) {
    this.model = model;
    this.#sequence = new Sequence({kind: 'sequence', id: 0, generation: 0}, model.cache);
  }

  /** Loads a GGUF file, with a KV cache of 256 positions in f32. */
  static async load(source: ArrayBuffer, {activations, core: variant}: PageModelOptions): Promise<PageModel> {
    const {core} = await chooseCore(variant);
    const model = await loadModel(
      {source, kvType: 'f32', contextLength: 256},
      {
        core,
        scheduler: new Scheduler(),
        signal: new AbortController().signal,
        onProgress: ignore,
        onMemory: ignore,
        shards: 1,
        spawnShard: () => {
          throw new Error('there is one shard');
        },
        activations,
      },
    );
    return new PageModel(model);
  }

  /** Logits after each of `tokens`: (tokens, vocab). */
  async evaluate(tokens: readonly number[]): Promise<Float32Array> {
    const evaluation = new Evaluation(this.model, this.#sequence, tokens);
    while (!(await evaluation.step(ignore)));
    return evaluation.logits;
  }

  /** The `count` most probable tokens one after the other. */
  async continueGreedily(tokens: readonly number[], count: number): Promise<readonly number[]> {
    const params = {maxTokens: count, ignoreEndOfGeneration: true};
    const events = {onPrefill: ignore, onToken: ignore};
    const run = new Generation(this.model, this.#sequence, tokens, params, defaultSampling, events);
    while (!(await run.step(ignore)));
    return run.result().tokens;
  }
}
