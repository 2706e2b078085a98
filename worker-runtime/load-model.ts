import type {Checkpoint} from './checkpoint.ts';
import {createChatTemplate} from './chat-template/chat-template.ts';
import {kvFormats} from './core/core-exports.ts';
import {GgufError} from './errors.ts';
import {readHeader} from './gguf/header.ts';
import type {GgufHeader} from './gguf/header.ts';
import {checkWholeNumber, refuseUnknownSettings} from './check-settings.ts';
import type {KnownSettings} from './check-settings.ts';
import type {LoadedModel, ModelFacts} from './loaded-model.ts';
import {Hyperparameters} from './model/architectures/hyperparameters.ts';
import {findArchitecture} from './model/architectures/index.ts';
import type {DecoderSpec} from './model/decoder-spec.ts';
import {Decoder} from './model/decoder.ts';
import type {KvCache} from './model/kv-cache.ts';
import type {LayoutSettings} from './model/layout.ts';
import {loadWeights} from './model/load-weights.ts';
import {textStates} from './model/text-states.ts';
import type {ActivationType} from './model/weights.ts';
import type {KvType, LoadParams, LoadProgress} from './protocol.ts';
import {readModelHeader, totalBytes} from './model-files.ts';
import {combinedPlan, placeModel, wasmBytes} from './place-model.ts';
import type {PlacedModel, PlacingContext} from './place-model.ts';
import {openHeader, openModel} from './store/open-model.ts';
import type {OpenedModel} from './store/open-model.ts';
import {resolveSource} from './store/resolve-source.ts';
import {createTokenizer} from './tokenizer/create-tokenizer.ts';
import type {Tokenizer} from './tokenizer/tokenizer.ts';

/** The most tokens of one step of prefill. */
const sliceLength = 64;
/** The KV cache of a long-context model would take gigabytes nobody asked for. */
const defaultContextLimit = 4096;

const loadSettings: KnownSettings<LoadParams> = {
  source: true,
  integrity: true,
  withoutCache: true,
  request: true,
  hubEndpoint: true,
  contextLength: true,
  kvType: true,
  shards: true,
  chatTemplate: true,
};

interface LoadContext extends PlacingContext {
  readonly onProgress: (progress: LoadProgress) => void;
  /** Told of the WebAssembly memory as soon as it is there. */
  readonly onMemory: (bytes: number) => void;
  /** `quantised` unless a test asks for exact arithmetic; no command can. */
  readonly activations?: ActivationType;
}

export interface Admitted {
  readonly tokenizer: Tokenizer;
  readonly spec: DecoderSpec;
  readonly settings: LayoutSettings;
}

/**
 * Loads a model as a transaction: it is ready, with weights, cache, scratch and logits proven by a first step, or an
 * error is thrown and nothing of it stays. Whatever the header can refuse is refused before the weights are read.
 *
 * @throws {GgufError} of every stage; `Cancelled` or `load-aborted` after `signal`
 */
export async function loadModel(params: LoadParams, context: LoadContext): Promise<LoadedModel> {
  const started = performance.now();
  const {signal, scheduler, onProgress} = context;
  refuseUnknownSettings('load-model', params, loadSettings);
  let phase: LoadProgress['phase'] = 'header';
  /** Bytes of the files before the one that is being read, and of all, once that is known. */
  let before = 0;
  let total: number | null = null;
  const report = (loadedBytes: number, fileBytes: number | null): void =>
    onProgress({phase, loadedBytes: before + loadedBytes, totalBytes: total ?? fileBytes});
  const {source, sha256} = await resolveSource(params.source, {signal, ...params});
  const integrity = params.integrity ?? sha256 ?? undefined;
  const onWait = (): void => onProgress({phase: 'waiting', loadedBytes: 0, totalBytes: null});
  const {request, withoutCache = false} = params;
  const options = {signal, onProgress: report, onWait, request, withoutCache};
  const first = await openModel(source, {...options, integrity});
  const opened = [first];
  const {reader} = first;
  let placed: PlacedModel | null = null;
  try {
    const {header, files} = await readModelHeader(source, reader, (part) =>
      openHeader(part, signal, request),
    );
    total = totalBytes(files);
    const admitted = await admit(header, params, scheduler.checkpoint(signal), context.activations);
    const {tokenizer, spec} = admitted;
    const chatTemplate = createChatTemplate(header.metadata, tokenizer, params.chatTemplate);
    const headerMs = performance.now() - started;

    phase = 'tensors';
    const {layouts, core, group} = (placed = await placeModel(header, admitted, context));
    const [{decoder: plan, cache, staging}] = layouts;
    context.onMemory(wasmBytes(placed));
    const checkpoint = scheduler.checkpoint(signal);
    const loading = {core, staging, checkpoint, ...(placed.team && {others: placed.team})};
    for (const [index, file] of files.entries()) {
      const part = index === 0 ? first : await openModel(file.source, options);
      if (index > 0) {
        opened.push(part);
        await readHeader(part.reader);
      }
      const own = [...plan.destinations].filter(([tensor]) => file.tensors.has(tensor));
      await loadWeights(new Map(own), {...loading, reader: part.reader});
      // Nothing runs before all of the file is known to be what it should be.
      await part.reader.finish();
      await part.reader.close();
      before += part.reader.position;
    }
    await placed.team?.ready();
    const tensorsMs = performance.now() - started - headerMs;

    phase = 'warm-up';
    report(0, before);
    const decoder = new Decoder(spec, plan, core, group);
    await warmUp(decoder, cache, context);
    const facts: ModelFacts = {
      ...describe(header, spec, tokenizer),
      contextLength: admitted.settings.contextLength,
      kvType: admitted.settings.kvType,
      fileBytes: total,
      hasChatTemplate: chatTemplate.source !== null,
      memory: combinedPlan(layouts),
      shards: layouts.length,
      timings: {headerMs, tensorsMs, totalMs: performance.now() - started},
    };
    return {
      facts,
      ...placed,
      fallbacks: [...first.fallbacks, ...placed.fallbacks],
      releaseSource: () => releaseAll(opened),
      decoder,
      tokenizer,
      chatTemplate,
      cache,
    };
  } catch (error) {
    placed?.team?.terminate();
    releaseAll(opened);
    if (isVerdict(error)) for (const part of opened) await part.reader.discard();
    throw error;
  } finally {
    for (const part of opened) await part.reader.close();
  }
}

function releaseAll(opened: readonly OpenedModel[]): void {
  for (const {release} of opened) release?.();
}

/** Whether the file will be refused the next time, too. */
function isVerdict(error: unknown): boolean {
  return error instanceof GgufError && ['format', 'unsupported'].includes(error.stage);
}

/** Everything that the header decides: architecture, tokenizer, shapes, types, settings, memory. */
export async function admit(
  header: GgufHeader,
  {contextLength, kvType}: Pick<LoadParams, 'contextLength' | 'kvType'>,
  checkpoint: Checkpoint,
  activations?: ActivationType,
): Promise<Admitted> {
  const architecture = findArchitecture(header.metadata);
  const tokenizer = await createTokenizer(header.metadata, checkpoint);
  const length = checkContextLength(contextLength, header);
  const spec = architecture(new Hyperparameters(header, tokenizer.vocabularySize, length));
  const settings = {
    contextLength: length,
    kvType: checkKvType(kvType ?? (spec.causal ? 'f16' : 'f32')),
    sliceLength,
    ...(activations && {activations}),
  };
  return {tokenizer, spec, settings};
}

function checkContextLength(asked: number | undefined, header: GgufHeader): number {
  const {trainingContextLength} = new Hyperparameters(header, 0, 0);
  if (asked === undefined) return Math.min(trainingContextLength, defaultContextLimit);
  return checkWholeNumber('contextLength', asked, {
    least: 1,
    most: trainingContextLength,
    why: ', what the model was trained for',
  });
}

function checkKvType(kvType: KvType): KvType {
  if (Object.hasOwn(kvFormats, kvType)) return kvType;
  throw new GgufError('invalid-setting', `kvType must be "f32", "f16" or "q8_0", not "${String(kvType)}"`, {
    field: 'kvType',
  });
}

/**
 * A tile of tokens and then one: proves that logits or embeddings come out finite, and lets the engine compile the kernels of prefill
 * and decode before the first answer.
 */
async function warmUp(decoder: Decoder, cache: KvCache, {scheduler, signal}: LoadContext): Promise<void> {
  const tile = new Array<number>(Math.min(4, cache.capacity)).fill(0);
  for (const tokens of [tile, [0]]) {
    if (!decoder.spec.causal) {
      await textStates(decoder, cache, tokens, {checkpoint: scheduler.checkpoint(signal)});
      continue;
    }
    await decoder.forward({tokens, position: 0, cache}, scheduler.checkpoint(signal));
    await decoder.requireFiniteLogits(tokens.length - 1);
  }
}

export function describe(
  {metadata, tensors}: GgufHeader,
  spec: DecoderSpec,
  {vocabularySize}: Tokenizer,
): Pick<
  ModelFacts,
  | 'name'
  | 'architecture'
  | 'parameterCount'
  | 'tensorTypes'
  | 'vocabularySize'
  | 'layerCount'
  | 'embeddingLength'
  | 'trainingContextLength'
  | 'generates'
  | 'pooling'
> {
  const {architecture, layers, embeddingLength, trainingContextLength, causal, pooling} = spec;
  let parameterCount = 0;
  const tensorTypes: Record<string, number> = {};
  for (const {type, dimensions} of tensors.values()) {
    parameterCount += dimensions.reduce((product, dimension) => product * dimension, 1);
    tensorTypes[type] = (tensorTypes[type] ?? 0) + 1;
  }
  const name = metadata.has('general.name') ? metadata.string('general.name') : null;
  return {
    name,
    architecture,
    parameterCount,
    tensorTypes,
    vocabularySize,
    layerCount: layers.length,
    embeddingLength,
    trainingContextLength,
    generates: causal,
    pooling,
  };
}
