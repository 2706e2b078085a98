/**
 * Replaces `fetch` in the Worker that imports it, so that a test decides when a download stalls. A URL
 * `https://fixture.example/<name>?stallAfter=<bytes>` gives a tiny llama up to that byte, then nothing more; without
 * `stallAfter` it gives all; `architecture` is what it says that it is. What happens to a download is told to the page over the BroadcastChannel `<name>`.
 */
import {tinyLlama} from './gguf-writer.ts';

export type FixtureEvent = 'stalled' | 'abandoned';

const pieceBytes = 4096;

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const architecture = url.searchParams.get('architecture') ?? 'llama';
  const model = new Uint8Array(tinyLlama({metadata: {'general.architecture': architecture}}));
  const stallAfter = Number(url.searchParams.get('stallAfter') ?? model.length);
  const channel = new BroadcastChannel(url.pathname.slice(1));
  const tell = (event: FixtureEvent): void => channel.postMessage(event);
  let position = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const end = Math.min(position + pieceBytes, stallAfter);
      if (position < end) controller.enqueue(model.slice(position, end));
      position = end;
      if (end === model.length) return controller.close();
      if (end < stallAfter) return undefined;
      tell('stalled');
      return new Promise(() => undefined);
    },
    cancel: () => tell('abandoned'),
  });
  init?.signal?.addEventListener('abort', () => tell('abandoned'));
  return Promise.resolve(new Response(body, {headers: {'content-length': String(model.length)}}));
};
