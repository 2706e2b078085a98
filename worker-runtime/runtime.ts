import {chooseCore} from './core/choose-core.ts';
import type {ChosenCore} from './core/choose-core.ts';
import type {CompiledCore} from './core/core.ts';
import {createDiagnostics} from './diagnostics.ts';
import type {Counters} from './diagnostics.ts';
import {GgufError} from './errors.ts';
import {Embedding} from './embedding.ts';
import {Evaluation} from './evaluation.ts';
import {Generation} from './generation.ts';
import {HandleTable} from './handles.ts';
import {checkWholeNumber, refuseUnknownSettings} from './check-settings.ts';
import {inspectModel} from './inspect-model.ts';
import {loadModel} from './load-model.ts';
import type {LoadedModel} from './loaded-model.ts';
import {checkEmbedParams, checkGenerateParams, checkTokens, promptTokens} from './prompt.ts';
import {defaultSampling, protocolVersion} from './protocol.ts';
import type {
  CommandKind,
  Commands,
  Diagnostics,
  GenerateResult,
  LoadProgress,
  ModelInfo,
  ModelInspection,
  SequenceHandle,
} from './protocol.ts';
import {ResidentModel} from './resident-model.ts';
import type {Ending, Job} from './resident-model.ts';
import {wasmBytes} from './place-model.ts';
import {validateSampling} from './sampling/validate-sampling.ts';
import {Cancelled, Scheduler} from './scheduler.ts';
import {Sequence} from './sequence.ts';
import {spawnShardWorker} from './shards/shard-worker.ts';
import {version} from './version.ts';

/** More shards than this would exchange more than they compute. */
const mostShards = 16;

/** What a command may use of its request. */
export interface RequestContext<K extends CommandKind> {
  /** Aborted by `cancel`, by a newer load, or when the model goes away. */
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly notify: (notification: Commands[K]['notifications']) => void;
}

/**
 * The commands. Owns the core, the resident model and the sampling settings; the only place where they change.
 * Cancellation arrives as the abort of a request's signal (see `worker.ts`).
 */
export class Runtime {
  readonly #scheduler = new Scheduler();
  readonly #models = new HandleTable<'model', ResidentModel>('model');
  readonly #sequences = new HandleTable<'sequence', Sequence>('sequence');
  readonly #counters: Counters;
  readonly #spawnShard: () => Worker;
  #booting: Promise<ChosenCore> | undefined;
  #chosen: ChosenCore | undefined;
  #resident: ResidentModel | undefined;
  #load: Ending | undefined;
  #sampling = defaultSampling;
  #shards: number | 'auto' = 'auto';
  #highWaterBytes = 0;

  /** @param spawnShard instead of starting Workers of the script that this one runs */
  constructor(counters: Counters, spawnShard: () => Worker = spawnShardWorker) {
    this.#counters = counters;
    this.#spawnShard = spawnShard;
  }

  async boot(params: Commands['boot']['params']): Promise<Commands['boot']['result']> {
    const {protocolVersion: asked, core, shards} = params;
    if (asked !== protocolVersion) {
      throw new GgufError(
        'protocol-version',
        `The page speaks protocol version ${asked}, the Worker ${protocolVersion}: serve both scripts from one release`,
      );
    }
    refuseUnknownSettings('boot', params, {protocolVersion: true, core: true, shards: true});
    if (shards !== undefined) this.#shards = checkShards(shards);
    this.#booting ??= chooseCore(core);
    this.#chosen = await this.#booting.catch((error: unknown) => {
      this.#booting = undefined;
      throw error;
    });
    const {variant} = this.#chosen.core;
    if (core !== undefined && core !== variant) {
      throw new GgufError(
        'invalid-setting',
        `The ${variant} core runs already; the ${core} one needs a Worker of its own`,
        {
          field: 'core',
        },
      );
    }
    return {version, core: variant};
  }

  /** The model that was resident stays until the new one is ready; a newer load aborts this one. */
  loadModel(
    params: Commands['load-model']['params'],
    context: RequestContext<'load-model'>,
  ): Promise<ModelInfo> {
    const {core} = this.#booted();
    const older = this.#load;
    older?.abort();
    this.#counters.loads++;
    const loading = this.#replaceModel(params, core, context, older?.ended);
    const load = {abort: context.abort, ended: loading.catch(() => undefined)};
    this.#load = load;
    return loading.finally(() => {
      if (this.#load === load) this.#load = undefined;
    });
  }

  inspect(
    params: Commands['inspect']['params'],
    {signal}: RequestContext<'inspect'>,
  ): Promise<ModelInspection> {
    return inspectModel(params, {core: this.#booted().core, scheduler: this.#scheduler, signal});
  }

  configureSampling(
    settings: Commands['configure-sampling']['params'],
  ): Commands['configure-sampling']['result'] {
    this.#booted();
    this.#sampling = validateSampling(settings, this.#sampling);
    return this.#sampling;
  }

  async generate(
    params: Commands['generate']['params'],
    context: RequestContext<'generate'>,
  ): Promise<Commands['generate']['result']> {
    const resident = this.#requireDecoder('generate');
    const {model} = resident;
    checkGenerateParams(params);
    const sampling = validateSampling(params.sampling ?? {}, this.#sampling);
    const sequence = this.#sequence(resident, params.sequence);
    const prompt = promptTokens(params, model, sequence.cache.capacity);
    const result = await this.#inTurn(resident, sequence, context, async () => {
      const generation = new Generation(model, sequence, prompt, params, sampling, {
        onPrefill: (payload) => context.notify({kind: 'prefill', payload}),
        onToken: (payload) => context.notify({kind: 'token', payload}),
      });
      const cancelled = await this.#run(resident, generation, sequence, context);
      if (cancelled) generation.cancel();
      return generation.result();
    });
    if (!result) return cancelledBefore(prompt.length, sequence);
    this.#counters.promptTokens += result.usage.promptTokens;
    this.#counters.cachedTokens += result.usage.cachedTokens;
    this.#counters.generatedTokens += result.usage.completionTokens;
    return result;
  }

  async evaluate(
    {tokens, sequence: handle, sliceLength}: Commands['evaluate']['params'],
    context: RequestContext<'evaluate'>,
  ): Promise<Commands['evaluate']['result']> {
    const resident = this.#requireDecoder('evaluate');
    if (sliceLength !== undefined) {
      const most = resident.model.decoder.plan.sliceLength;
      checkWholeNumber('sliceLength', sliceLength, {least: 1, most});
    }
    const sequence = this.#sequence(resident, handle);
    const checked = promptTokens({tokens}, resident.model, sequence.cache.capacity);
    const evaluation = await this.#inTurn(resident, sequence, context, async () => {
      const begun = new Evaluation(resident.model, sequence, checked, sliceLength);
      return (await this.#run(resident, begun, sequence, context)) ? null : begun;
    });
    return evaluation ? {logits: evaluation.logits, vocab: evaluation.vocab} : {cancelled: true};
  }

  async embed(
    params: Commands['embed']['params'],
    context: RequestContext<'embed'>,
  ): Promise<Commands['embed']['result']> {
    const resident = this.#requireModel();
    const {model} = resident;
    checkEmbedParams(params, model);
    const embedding = new Embedding(model, () => resident.active, params);
    const cancelled = await this.#run(resident, embedding, null, context);
    this.#counters.promptTokens += embedding.tokenCount;
    return cancelled ? {cancelled} : {embeddings: embedding.embeddings};
  }

  async resetContext({
    sequence,
  }: Commands['reset-context']['params']): Promise<Commands['reset-context']['result']> {
    const resident = this.#requireModel();
    const context = this.#sequences.get(sequence ?? resident.sequence.handle);
    await resident.endRuns(context);
    context.rewind(0);
    return {sequence: context.handle};
  }

  /** A conversation of its own with the resident model, beside the others. */
  openSequence(): Commands['open-sequence']['result'] {
    const resident = this.#requireModel();
    const sequence = this.#sequences.add((handle) => new Sequence(handle, resident.model.cache));
    resident.open(sequence);
    return {sequence: sequence.handle};
  }

  async closeSequence({
    sequence: handle,
  }: Commands['close-sequence']['params']): Promise<Commands['close-sequence']['result']> {
    const resident = this.#requireModel();
    const sequence = this.#sequences.get(handle);
    if (sequence === resident.sequence) {
      throw new GgufError('invalid-setting', 'The default sequence ends with its model', {field: 'sequence'});
    }
    this.#sequences.remove(handle);
    await resident.close(sequence, this.#scheduler);
    return {sequence: handle};
  }

  async freeModel({model}: Commands['free-model']['params']): Promise<Commands['free-model']['result']> {
    this.#booted();
    if (model !== undefined) this.#models.get(model);
    this.#load?.abort();
    const resident = this.#resident;
    this.#resident = undefined;
    return {freedBytes: resident ? await this.#free(resident) : 0};
  }

  tokenize({text, ...options}: Commands['tokenize']['params']): Commands['tokenize']['result'] {
    return {tokens: this.#requireModel().model.tokenizer.encode(requireString(text, 'text'), options)};
  }

  detokenize({tokens}: Commands['detokenize']['params']): Commands['detokenize']['result'] {
    const {tokenizer} = this.#requireModel().model;
    return {text: tokenizer.decode(checkTokens(tokens, tokenizer.vocabularySize))};
  }

  applyTemplate({
    messages,
    ...options
  }: Commands['apply-template']['params']): Commands['apply-template']['result'] {
    return {text: this.#requireModel().model.chatTemplate.render(messages, options)};
  }

  async diagnostics(running: readonly string[]): Promise<Commands['diagnostics']['result']> {
    const resident = this.#resident;
    const shards = resident && (await describeShards(resident.model));
    return createDiagnostics({
      chosen: this.#booted(),
      fallbacks: resident?.model.fallbacks ?? [],
      model: resident?.info ?? null,
      sequence: resident?.sequence ?? null,
      shards: shards ?? null,
      wasmBytes: resident ? wasmBytes(resident.model) : 0,
      highWaterBytes: this.#highWaterBytes,
      sampling: this.#sampling,
      counters: this.#counters,
      running,
    });
  }

  /** @param older the load that this one replaces: it is over before this one takes the Worker's time */
  async #replaceModel(
    params: Commands['load-model']['params'],
    core: CompiledCore,
    {signal, notify}: RequestContext<'load-model'>,
    older: Promise<unknown> | undefined,
  ): Promise<ModelInfo> {
    try {
      await older;
      const onProgress = (payload: LoadProgress): void => notify({kind: 'progress', payload});
      const onMemory = (bytes: number): void => this.#noteMemory(bytes);
      const model = await loadModel(params, {
        core,
        scheduler: this.#scheduler,
        signal,
        onProgress,
        onMemory,
        shards: params.shards === undefined ? this.#shards : checkShards(params.shards),
        spawnShard: this.#spawnShard,
      });
      if (signal.aborted) {
        model.team?.terminate();
        model.releaseSource?.();
        throw new Cancelled();
      }
      const old = this.#resident;
      const resident = this.#install(model);
      if (old) await this.#free(old);
      return resident.info;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new GgufError('load-aborted', 'The load was cancelled or replaced by a newer one');
    }
  }

  /** A load's memory stands beside that of the model before, also where the load fails in the end. */
  #noteMemory(bytes: number): void {
    const both = bytes + (this.#resident ? wasmBytes(this.#resident.model) : 0);
    this.#highWaterBytes = Math.max(this.#highWaterBytes, both);
  }

  #install(model: LoadedModel): ResidentModel {
    const sequence = this.#sequences.add((handle) => new Sequence(handle, model.cache));
    this.#resident = this.#models.add((handle) => new ResidentModel(handle, model, sequence));
    return this.#resident;
  }

  /** What `work` gives in the turn of its sequence; `null` where it was cancelled before. */
  async #inTurn<T>(
    resident: ResidentModel,
    sequence: Sequence,
    context: {signal: AbortSignal; abort: () => void},
    work: () => Promise<T>,
  ): Promise<T | null> {
    try {
      return await resident.inTurn(sequence, this.#scheduler, context, work);
    } catch (error) {
      if (error instanceof Cancelled) return null;
      throw error;
    }
  }

  /** Runs a job to its end; `true` when it was cancelled. A model that has lost a shard is dropped: it is of no use. */
  async #run(
    resident: ResidentModel,
    job: Job,
    sequence: Sequence | null,
    context: {signal: AbortSignal; abort: () => void},
  ): Promise<boolean> {
    try {
      return await resident.run(job, sequence, this.#scheduler, context);
    } catch (error) {
      if (error instanceof GgufError && error.name === 'shard-failed' && this.#resident === resident) {
        this.#resident = undefined;
        await this.#free(resident);
      }
      throw error;
    }
  }

  /** Drops a model that is no longer the resident one: its handles are stale at once, its runs end. Returns its bytes. */
  async #free(model: ResidentModel): Promise<number> {
    for (const {handle} of model.sequences) this.#sequences.remove(handle);
    this.#models.remove(model.handle);
    await model.endRuns();
    model.model.team?.terminate();
    model.model.releaseSource?.();
    return wasmBytes(model.model);
  }

  #booted(): ChosenCore {
    if (this.#chosen) return this.#chosen;
    throw new GgufError('not-booted', 'The first command must be "boot"');
  }

  #requireModel(): ResidentModel {
    this.#booted();
    if (this.#resident) return this.#resident;
    throw new GgufError('no-model', 'No model is loaded');
  }

  /** @throws {GgufError} `unsuitable-model` */
  #requireDecoder(command: CommandKind): ResidentModel {
    const resident = this.#requireModel();
    if (resident.model.facts.generates) return resident;
    const {architecture} = resident.model.facts;
    throw new GgufError(
      'unsuitable-model',
      `A model of architecture "${architecture}" is an encoder: it has embeddings, but nothing to ${command}`,
      {field: 'general.architecture'},
    );
  }

  /** @throws {GgufError} `stale-handle`, `sequence-busy` */
  #sequence(resident: ResidentModel, handle: SequenceHandle = resident.sequence.handle): Sequence {
    const sequence = this.#sequences.get(handle);
    if (!sequence.busy) return sequence;
    throw new GgufError(
      'sequence-busy',
      'The sequence is generating already; cancel or await that run first',
    );
  }
}

/** An answer that was cancelled while another sequence had its turn. */
function cancelledBefore(promptTokens: number, {length, cache}: Sequence): GenerateResult {
  return {
    text: '',
    reasoning: null,
    tokens: [],
    finishReason: 'cancelled',
    usage: {
      promptTokens,
      cachedTokens: 0,
      completionTokens: 0,
      contextUsed: length,
      contextLength: cache.capacity,
    },
    timings: {prefillMs: 0, reasoningMs: null, firstTokenMs: null, decodeMs: 0, totalMs: 0},
  };
}

/** @throws {GgufError} `invalid-setting` */
function checkShards(shards: number | 'auto'): number | 'auto' {
  if (shards === 'auto') return shards;
  return checkWholeNumber('shards', shards, {least: 1, most: mostShards, why: ', or "auto"'});
}

async function describeShards({core, team, group}: LoadedModel): Promise<Diagnostics['shards']> {
  const others = (await team?.askStatistics()) ?? [];
  return {
    transport: team?.transport ?? null,
    each: [{wasmBytes: core.bytes, ...group.statistics}, ...others],
  };
}

function requireString(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw new GgufError('invalid-prompt', `${field} must be a string`, {field});
}
