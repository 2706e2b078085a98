import type {ModelFacts, SyntheticRequest} from '../../test/bench/synthetic-gguf.mjs';
import type {ModelMessage} from './model-worker.ts';

/** How a result names its model: enough to have the same one again. */
export type Origin =
  | {readonly source: 'synthetic'; readonly shape: string; readonly type: string; readonly seed: number}
  | {readonly source: 'built-in' | 'file'; readonly name: string};

/** Bytes for the runtime, and what is known of them before they are loaded. */
export interface OpenedModel {
  readonly source: string | Blob;
  readonly facts: Partial<ModelFacts>;
}

/** A model to measure. `onProgress` is told the share of it that is there. */
export interface BenchModel {
  readonly origin: Origin;
  open(signal: AbortSignal, onProgress: (ratio: number) => void): Promise<OpenedModel>;
}

const seed = 1;
const trainingContextLength = 4096;

/** Random weights in the shape of a well-known model: as fast or slow as it, and nothing is downloaded. */
export function syntheticModel(shape: string, type: string): BenchModel {
  return {
    origin: {source: 'synthetic', shape, type, seed},
    open: (signal, onProgress) =>
      makeInWorker({shape, type, seed, contextLength: trainingContextLength}, signal, onProgress),
  };
}

export function builtInModel(): BenchModel {
  const source = new URL('../model/pip.gguf', import.meta.url).href;
  return {
    origin: {source: 'built-in', name: 'Pip'},
    open: () => Promise.resolve({source, facts: {}}),
  };
}

export function fileModel(file: File): BenchModel {
  return {
    origin: {source: 'file', name: file.name},
    open: () => Promise.resolve({source: file, facts: {fileBytes: file.size}}),
  };
}

async function makeInWorker(
  request: SyntheticRequest,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<OpenedModel> {
  const worker = new Worker(new URL('./model-worker.ts', import.meta.url), {type: 'module'});
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), {once: true});
      worker.addEventListener('error', ({message}) =>
        reject(new Error(`The model was not made: ${message}`)),
      );
      worker.addEventListener('message', ({data}: MessageEvent<ModelMessage>) => {
        if (data.kind === 'model') resolve(data);
        else onProgress(data.ratio);
      });
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}
