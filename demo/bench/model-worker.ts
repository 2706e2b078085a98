/** Makes a synthetic model in a Worker, so that the page and its Stop button never wait. */
import {syntheticGguf} from '../../test/bench/synthetic-gguf.mjs';
import type {ModelFacts, SyntheticRequest} from '../../test/bench/synthetic-gguf.mjs';

/** The share that is made, again and again; at the end the model. */
export type ModelMessage =
  | {readonly kind: 'progress'; readonly ratio: number}
  | {readonly kind: 'model'; readonly source: Blob; readonly facts: ModelFacts};

const post = (message: ModelMessage): void => globalThis.postMessage(message);

globalThis.addEventListener('message', ({data}: MessageEvent<SyntheticRequest>) => {
  const {facts, pieces} = syntheticGguf(data);
  // A Blob of Blobs: the browser may keep them on disk.
  const parts: Blob[] = [];
  let bytes = 0;
  for (const piece of pieces()) {
    parts.push(new Blob([piece]));
    bytes += piece.length;
    post({kind: 'progress', ratio: bytes / facts.fileBytes});
  }
  post({kind: 'model', source: new Blob(parts), facts});
});
