import {GgufError} from '../errors.ts';
import type {RequestSettings} from '../protocol.ts';
import {loadAborted} from './chunk-reader.ts';

/** What to ask a server for. */
export interface HttpRequest {
  readonly url: string;
  /** By default `GET`. */
  readonly method?: 'HEAD';
  readonly signal: AbortSignal;
  readonly settings?: RequestSettings | undefined;
  /** First byte that is wanted, and the last one; without `to` up to the end. */
  readonly from?: number;
  readonly to?: number;
  /** Condition under which a part of the file is wanted, rather than all of it. */
  readonly ifRange?: string | null;
  /** Whether the browser's own cache shall not keep the answer. */
  readonly noStore?: boolean;
}

/**
 * An answer that is no error: 200, or 206 where a part was asked for.
 *
 * @throws {GgufError} `invalid-source`, `network-failed`, `network-status`, `load-aborted`
 */
export async function request(wanted: HttpRequest): Promise<Response> {
  const {href} = parseUrl(wanted.url);
  const response = await send(href, wanted);
  if (response.ok) return response;
  // Nobody waits for it: the status says more than a body that cannot even be cancelled.
  void response.body?.cancel().catch(() => undefined);
  const status = [response.status, response.statusText].filter(Boolean).join(' ');
  throw new HttpStatusError(
    response.status,
    `The server answered ${status} for ${response.url || href}`,
    wanted.url,
  );
}

/** `network-status`, with the status for those who try again. */
export class HttpStatusError extends GgufError {
  readonly status: number;

  constructor(status: number, message: string, url: string) {
    super('network-status', message, {field: url});
    this.status = status;
  }

  /** Whether the same request may succeed a little later. */
  get isTemporary(): boolean {
    return this.status >= 500 || [408, 425, 429].includes(this.status);
  }
}

/** @throws {GgufError} `invalid-source` */
export function parseUrl(url: string): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new GgufError('invalid-source', `"${url}" is not a URL`, {field: url, cause});
  }
}

async function send(
  href: string,
  {method, signal, settings = {}, from = 0, to, ifRange, noStore = false}: HttpRequest,
): Promise<Response> {
  const {headers: given, credentials} = settings;
  const headers = new Headers(given);
  if (from > 0 || to !== undefined) headers.set('Range', `bytes=${from}-${to ?? ''}`);
  if (ifRange) headers.set('If-Range', ifRange);
  try {
    return await fetch(href, {
      headers,
      signal,
      ...(method && {method}),
      ...(credentials && {credentials}),
      ...(noStore && {cache: 'no-store'}),
    });
  } catch (cause) {
    if (signal.aborted) throw loadAborted(signal);
    throw new GgufError(
      'network-failed',
      `${href} could not be requested: ${reasonOf(cause)}. The server is out of reach, or it does not allow this page's origin (CORS)`,
      {field: href, cause},
    );
  }
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
