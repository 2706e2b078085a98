import {expect} from '@open-wc/testing';
import {openSource} from '../../../worker-runtime/source/open-source.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const {signal} = new AbortController();
const url = 'https://models.example/model.gguf';

interface Answer {
  readonly pieces?: readonly number[];
  readonly headers?: Record<string, string>;
  readonly status?: number;
  readonly crossOrigin?: boolean;
  /** What happens after the last piece; by default the body ends. */
  readonly then?: 'break' | 'stall';
}

/** A response whose body is pieces of the given lengths, and whether it was cancelled. */
function answer({pieces = [], headers = {}, status = 200, crossOrigin = false, then}: Answer): {
  response: Response;
  cancelled: () => boolean;
} {
  let cancelled = false;
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void | Promise<void> {
      const length = left.shift();
      if (length !== undefined) return controller.enqueue(new Uint8Array(length));
      if (then === 'break') return controller.error(new TypeError('connection reset'));
      if (then === 'stall') return new Promise(() => undefined);
      return controller.close();
    },
    cancel: () => void (cancelled = true),
  });
  const response = new Response(body, {headers, status});
  if (crossOrigin) Object.defineProperty(response, 'type', {value: 'cors'});
  return {response, cancelled: () => cancelled};
}

describe('openSource with a URL', () => {
  const {fetch} = globalThis;
  const respondWith = (response: Response): void => void (globalThis.fetch = () => Promise.resolve(response));

  afterEach(() => {
    globalThis.fetch = fetch;
  });

  it('names status and URL where the server refuses', async () => {
    respondWith(answer({status: 503}).response);
    await expectRefusal(() => openSource(url, {signal}), 'network-status', `503 for ${url}`);
  });

  it('names the status also where the body cannot be cancelled', async () => {
    const body = new ReadableStream({cancel: () => Promise.reject(new TypeError('connection reset'))});
    respondWith(new Response(body, {status: 503}));
    await expectRefusal(() => openSource(url, {signal}), 'network-status', '503');
  });

  it('names the URL where the request fails', async () => {
    const revoked = URL.createObjectURL(new Blob(['GGUF']));
    URL.revokeObjectURL(revoked);
    await expectRefusal(() => openSource(revoked, {signal}), 'network-failed', revoked);
  });

  const lengths: [string, Answer, number | null, boolean][] = [
    ['trusts Content-Length of its own origin', {headers: {'Content-Length': '8'}}, 8, true],
    [
      'only shows Content-Length of another origin',
      {headers: {'Content-Length': '8'}, crossOrigin: true},
      8,
      false,
    ],
    [
      'ignores Content-Length of an encoded body',
      {headers: {'Content-Length': '8', 'Content-Encoding': 'gzip'}},
      null,
      false,
    ],
    ['does without Content-Length', {}, null, false],
    ['ignores a Content-Length that is no number', {headers: {'Content-Length': 'many'}}, null, false],
  ];
  for (const [name, given, length, exact] of lengths) {
    it(name, async () => {
      respondWith(answer(given).response);
      const reader = await openSource(url, {signal});
      expect([reader.length, reader.lengthIsExact]).to.deep.equal([length, exact]);
    });
  }

  it('reads on where more arrives than was declared', async () => {
    respondWith(answer({pieces: [5, 5, 5], headers: {'Content-Length': '8'}}).response);
    const reader = await openSource(url, {signal});
    await reader.fill(new Uint8Array(15));
    expect([reader.position, reader.length]).to.deep.equal([15, null]);
  });

  it('tells an early end from a file that is too short', async () => {
    respondWith(answer({pieces: [5], headers: {'Content-Length': '8'}}).response);
    const cut = await openSource(url, {signal});
    await expectRefusal(() => cut.fill(new Uint8Array(8)), 'network-truncated', `5 of 8 bytes of ${url}`);
    respondWith(answer({pieces: [5]}).response);
    const short = await openSource(url, {signal});
    await expectRefusal(() => short.fill(new Uint8Array(8)), 'gguf-truncated', '5 bytes');
  });

  it('says after how many bytes the connection broke', async () => {
    respondWith(answer({pieces: [5], headers: {'Content-Length': '8'}, then: 'break'}).response);
    const reader = await openSource(url, {signal});
    await expectRefusal(
      () => reader.fill(new Uint8Array(8)),
      'network-truncated',
      /connection reset.*5 of 8/,
    );
  });

  it('cancels the body when aborted while the server stalls', async () => {
    const {response, cancelled} = answer({pieces: [5], then: 'stall'});
    respondWith(response);
    const controller = new AbortController();
    const reader = await openSource(url, {signal: controller.signal});
    const pending = reader.fill(new Uint8Array(8));
    setTimeout(() => controller.abort());
    await expectRefusal(() => pending, 'load-aborted');
    expect(cancelled()).to.equal(true);
  });

  it('ends a request that has no answer yet when aborted', async () => {
    globalThis.fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    const controller = new AbortController();
    const pending = openSource(url, {signal: controller.signal});
    controller.abort();
    await expectRefusal(() => pending, 'load-aborted');
  });

  it('cancels the body when closed before the end', async () => {
    const {response, cancelled} = answer({pieces: [5, 5], then: 'stall'});
    respondWith(response);
    const reader = await openSource(url, {signal});
    await reader.peek(1);
    await reader.close();
    expect(cancelled()).to.equal(true);
  });

  it('does not read far ahead of its user', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => void controller.enqueue(new Uint8Array((pulled += 1) && 1000)),
    });
    respondWith(new Response(body));
    const reader = await openSource(url, {signal});
    await reader.fill(new Uint8Array(2500));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pulled).to.be.at.most(5);
    await reader.close();
  });
});
