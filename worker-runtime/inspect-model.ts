import {createChatTemplate} from './chat-template/chat-template.ts';
import {refuseUnknownSettings} from './check-settings.ts';
import {GgufError} from './errors.ts';
import type {GgufHeader} from './gguf/header.ts';
import {admit, describe} from './load-model.ts';
import type {Admitted} from './load-model.ts';
import {planLayout} from './model/layout.ts';
import type {Layout} from './model/layout.ts';
import {readModelHeader, totalBytes} from './model-files.ts';
import {combinedPlan} from './place-model.ts';
import type {InspectParams, ModelInspection, ModelSource} from './protocol.ts';
import type {CompiledCore} from './core/core.ts';
import type {Scheduler} from './scheduler.ts';
import {Share} from './shards/share.ts';
import {ModelStore} from './store/model-store.ts';
import {openHeader} from './store/open-model.ts';
import {resolveSource} from './store/resolve-source.ts';

interface InspectContext {
  readonly core: CompiledCore;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
}

/**
 * What a model is and takes, from its header alone. A model that cannot be loaded has a refusal instead.
 *
 * @throws {GgufError} of the source; `invalid-setting`
 */
export async function inspectModel(params: InspectParams, context: InspectContext): Promise<ModelInspection> {
  refuseUnknownSettings('inspect', params, {
    source: true,
    contextLength: true,
    kvType: true,
    shards: true,
    chatTemplate: true,
    request: true,
    hubEndpoint: true,
  });
  const {signal} = context;
  const {request} = params;
  const {source} = await resolveSource(params.source, {signal, ...params});
  const reader = await openHeader(source, signal, request);
  try {
    const {header, files} = await readModelHeader(source, reader, (part) =>
      openHeader(part, signal, request),
    );
    const fileBytes = totalBytes(files);
    const facts = await factsOf(header, params, context, fileBytes);
    const stored = await areStored(files.map((file) => file.source));
    return {...facts, stored, fileBytes, headerBytes: header.dataOffset};
  } finally {
    await reader.close();
  }
}

async function areStored(sources: readonly ModelSource[]): Promise<boolean> {
  const store = await ModelStore.open();
  if (!store) return false;
  for (const source of sources) {
    if (typeof source !== 'string' || !(await store.find(source))?.installed) return false;
  }
  return true;
}

async function factsOf(
  header: GgufHeader,
  params: InspectParams,
  {core: {calculator}, scheduler, signal}: InspectContext,
  fileBytes: number | null,
): Promise<Pick<ModelInspection, 'refusal' | 'model'>> {
  try {
    const admitted = await admit(header, params, scheduler.checkpoint(signal));
    const {tokenizer, spec, settings} = admitted;
    const {source: template} = createChatTemplate(header.metadata, tokenizer, params.chatTemplate);
    const shards = typeof params.shards === 'number' ? params.shards : 1;
    const layouts = (contextLength: number): Layout[] =>
      Array.from({length: shards}, (_, shard) =>
        planLayout(spec, header, {...settings, contextLength}, new Share(shard, shards), calculator),
      );
    const plans = layouts(settings.contextLength);
    return {
      refusal: null,
      model: {
        ...describe(header, spec, tokenizer),
        contextLength: settings.contextLength,
        kvType: settings.kvType,
        fileBytes,
        hasChatTemplate: template !== null,
        shards,
        memory: combinedPlan(plans),
        memoryByShard: plans.map(({plan}) => plan.total),
        largestContextLength: largestContext(admitted, layouts),
      },
    };
  } catch (error) {
    const refusal = GgufError.from(error);
    const isVerdict = ['format', 'unsupported', 'memory'].includes(refusal.stage);
    if (!isVerdict) throw refusal;
    return {refusal: refusal.toData(), model: null};
  }
}

/** The longest context, up to what the model was trained for, whose memory WebAssembly can address. */
function largestContext(
  {spec: {trainingContextLength}, settings}: Admitted,
  layouts: (contextLength: number) => Layout[],
): number {
  const fits = (length: number): boolean => {
    try {
      layouts(length);
      return true;
    } catch (error) {
      if (error instanceof GgufError && error.name === 'memory-plan') return false;
      throw error;
    }
  };
  if (fits(trainingContextLength)) return trainingContextLength;
  let [least, most] = [settings.contextLength, trainingContextLength];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return least;
}
