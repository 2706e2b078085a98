import {newCounters} from './diagnostics.ts';
import {GgufError} from './errors.ts';
import type {
  CommandKind,
  Commands,
  NotificationOf,
  Request,
  RequestOf,
  ResultOf,
  ErrorResponse,
} from './protocol.ts';
import {Runtime} from './runtime.ts';
import type {RequestContext} from './runtime.ts';
import {estimateStore, listStored, removeStored} from './store/store-commands.ts';

const counters = newCounters();
const runtime = new Runtime(counters);
/** The ID of answers to what has none. */
const noId = -1;
const running = new Map<number, {kind: CommandKind; abort: () => void}>();

/** Receives requests, answers each exactly once. */
export function serveRuntime(): void {
  self.addEventListener('message', ({data}: MessageEvent<unknown>) => {
    counters.requests++;
    if (!isRequest(data)) refuse(idOf(data), 'Not a request of this protocol');
    else if (running.has(data.id)) refuse(data.id, `Request ID ${data.id} is in use`);
    else void answer(data);
  });
}

/** Under the ID of a request that is running, the refusal would look like the end of that request. */
function refuse(id: number, message: string): void {
  counters.errors++;
  post({
    type: 'error',
    id: running.has(id) ? noId : id,
    error: new GgufError('invalid-message', message).toData(),
  });
}

async function answer(request: Request): Promise<void> {
  const {id, kind} = request;
  const controller = new AbortController();
  running.set(id, {kind, abort: () => controller.abort()});
  try {
    await dispatch(request, controller);
  } catch (thrown) {
    counters.errors++;
    post({type: 'error', id, error: GgufError.from(thrown).toData()});
  } finally {
    running.delete(id);
  }
}

async function dispatch(request: Request, controller: AbortController): Promise<void> {
  switch (request.kind) {
    case 'boot':
      return respond(request, await runtime.boot(request.params));
    case 'load-model':
      return respond(request, await runtime.loadModel(request.params, contextOf(request, controller)));
    case 'inspect':
      return respond(request, await runtime.inspect(request.params, contextOf(request, controller)));
    case 'configure-sampling':
      return respond(request, runtime.configureSampling(request.params));
    case 'generate':
      return respond(request, await runtime.generate(request.params, contextOf(request, controller)));
    case 'cancel':
      return respond(request, cancel(request.params));
    case 'open-sequence':
      return respond(request, runtime.openSequence());
    case 'close-sequence':
      return respond(request, await runtime.closeSequence(request.params));
    case 'reset-context':
      return respond(request, await runtime.resetContext(request.params));
    case 'free-model':
      return respond(request, await runtime.freeModel(request.params));
    case 'diagnostics':
      return respond(request, await runtime.diagnostics(runningKinds(request.id)));
    case 'list-stored':
      return respond(request, await listStored());
    case 'remove-stored':
      return respond(request, await removeStored(request.params));
    case 'estimate-store':
      return respond(request, await estimateStore());
    case 'tokenize':
      return respond(request, runtime.tokenize(request.params));
    case 'detokenize':
      return respond(request, runtime.detokenize(request.params));
    case 'apply-template':
      return respond(request, runtime.applyTemplate(request.params));
    case 'evaluate': {
      const result = await runtime.evaluate(request.params, contextOf(request, controller));
      return respond(request, result, 'logits' in result ? [result.logits.buffer] : []);
    }
    case 'embed': {
      const result = await runtime.embed(request.params, contextOf(request, controller));
      const buffers = 'embeddings' in result ? result.embeddings.map(({buffer}) => buffer) : [];
      return respond(request, result, buffers);
    }
    default:
      throw unknownCommand(request);
  }
}

function respond<K extends CommandKind>(
  {id, kind}: RequestOf<K>,
  result: Commands[K]['result'],
  transfer: Transferable[] = [],
): void {
  post({type: 'result', id, kind, result}, transfer);
}

function contextOf<K extends CommandKind>(
  {id, kind}: RequestOf<K>,
  controller: AbortController,
): RequestContext<K> {
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    notify: (notification) => post({type: 'notification', id, kind, notification}),
  };
}

function cancel({target}: Commands['cancel']['params']): Commands['cancel']['result'] {
  const request = running.get(target);
  if (!request) return {found: false};
  counters.cancels++;
  request.abort();
  return {found: true};
}

function runningKinds(self: number): CommandKind[] {
  return [...running].filter(([id]) => id !== self).map(([, {kind}]) => kind);
}

function post<K extends CommandKind>(
  message: ResultOf<K> | NotificationOf<K> | ErrorResponse,
  transfer: Transferable[] = [],
): void {
  self.postMessage(message, {transfer});
}

function isRequest(data: unknown): data is Request {
  return (
    typeof data === 'object' &&
    data !== null &&
    'type' in data &&
    data.type === 'request' &&
    'id' in data &&
    Number.isSafeInteger(data.id) &&
    'kind' in data &&
    typeof data.kind === 'string' &&
    'params' in data &&
    typeof data.params === 'object' &&
    data.params !== null
  );
}

function idOf(data: unknown): number {
  return typeof data === 'object' && data !== null && 'id' in data && typeof data.id === 'number'
    ? data.id
    : noId;
}

function unknownCommand(request: never): GgufError {
  const {kind} = request as Request;
  return new GgufError('invalid-message', `There is no command "${kind}"`, {field: 'kind'});
}
