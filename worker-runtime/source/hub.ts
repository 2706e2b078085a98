import {GgufError} from '../errors.ts';
import {HttpStatusError, request} from './http-request.ts';
import type {HttpRequest} from './http-request.ts';

export const defaultHubEndpoint = 'https://huggingface.co';

/** A model on a hub: `hf:owner/repository/path/file.gguf`, or `hf:owner/repository:Q4_K_M`, each perhaps with `@revision`. */
export interface HubReference {
  readonly repository: string;
  readonly revision: string;
  /** Of a file, or what its name tells of its quantisation. */
  readonly path: string | null;
  readonly quantisation: string | null;
}

interface HubFile {
  readonly path: string;
  readonly sha256: string | null;
}

/** @throws {GgufError} `invalid-source` */
export function parseHubReference(source: string): HubReference {
  const match = /^hf:(?<owner>[\w.-]+)\/(?<name>[\w.-]+)(?<rest>.*)$/.exec(source);
  const {owner = '', name = '', rest = ''} = match?.groups ?? {};
  const {path, quantisation, revision} =
    /^(?:\/(?<path>[^:@]+)|:(?<quantisation>[\w.-]+))(?:@(?<revision>[\w./-]+))?$/.exec(rest)?.groups ?? {};
  if (!match || (path === undefined && quantisation === undefined)) {
    throw new GgufError(
      'invalid-source',
      `"${source}" is neither hf:owner/repository/file.gguf nor hf:owner/repository:Q4_K_M`,
      {field: source},
    );
  }
  return {
    repository: `${owner}/${name}`,
    revision: revision ?? 'main',
    path: path ?? null,
    quantisation: quantisation ?? null,
  };
}

/** Where the files of a repository are. */
export function hubFolder({repository, revision}: HubReference, endpoint: string): string {
  return `${endpoint.replace(/\/$/, '')}/${repository}/resolve/${revision}/`;
}

/**
 * The file that a reference means, and its SHA-256 where the hub tells it.
 *
 * @throws {GgufError} `invalid-source` where the repository has no such file; of the network
 */
export async function resolveHubReference(
  source: string,
  endpoint: string,
  wanted: Omit<HttpRequest, 'url'>,
): Promise<{readonly url: string; readonly sha256: string | null}> {
  const reference = parseHubReference(source);
  const folder = hubFolder(reference, endpoint);
  if (reference.path !== null) return {url: folder + encodePath(reference.path), sha256: null};
  const {repository, revision, quantisation} = reference;
  const list = `${endpoint.replace(/\/$/, '')}/api/models/${repository}/tree/${revision}?recursive=true`;
  const files = readFiles(await readJson({...wanted, url: list}, source));
  const file = chooseFile(files, quantisation ?? '');
  if (file) return {url: folder + encodePath(file.path), sha256: isPart(file.path) ? null : file.sha256};
  const names = files.map(({path}) => path).join(', ');
  throw new GgufError(
    'invalid-source',
    `${repository} has no file for ${quantisation}; it has ${names || 'no GGUF file'}`,
    {
      field: source,
    },
  );
}

/** Of the files whose name tells this quantisation the one with the shortest path: whole before parts, of these the first. */
export function chooseFile<File extends {readonly path: string}>(
  files: readonly File[],
  quantisation: string,
): File | undefined {
  const escaped = quantisation.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const told = new RegExp(`(^|[-._/])${escaped}([-._/]|$)`, 'i');
  const fitting = files.filter(
    ({path}) => told.test(path) && !/(^|[-._/])(mmproj|imatrix)([-._]|$)/i.test(path),
  );
  const rank = (path: string): number => (isPart(path) ? 1 : 0);
  return fitting.sort(
    (a, b) => rank(a.path) - rank(b.path) || a.path.length - b.path.length || (a.path < b.path ? -1 : 1),
  )[0];
}

const isPart = (path: string): boolean => /-\d{5}-of-\d{5}\.gguf$/.test(path);

async function readJson(wanted: HttpRequest, source: string): Promise<unknown> {
  try {
    return await (await request(wanted)).json();
  } catch (error) {
    if (error instanceof HttpStatusError && [401, 403, 404].includes(error.status)) {
      throw new GgufError('invalid-source', `${source}: there is no such repository, or it is not public`, {
        field: source,
        cause: error,
      });
    }
    throw error;
  }
}

function readFiles(list: unknown): HubFile[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: {path?: unknown; lfs?: {oid?: unknown} | null}) => {
    if (typeof entry.path !== 'string' || !entry.path.endsWith('.gguf')) return [];
    const oid = entry.lfs?.oid;
    return [{path: entry.path, sha256: typeof oid === 'string' && /^[0-9a-f]{64}$/.test(oid) ? oid : null}];
  });
}

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
