import {GgufError} from '../errors.ts';
import type {ModelSource, RequestSettings} from '../protocol.ts';
import {
  chooseFile,
  defaultHubEndpoint,
  hubFolder,
  parseHubReference,
  resolveHubReference,
} from '../source/hub.ts';
import {ModelStore} from './model-store.ts';

interface ResolveOptions {
  readonly signal: AbortSignal;
  readonly request?: RequestSettings | undefined;
  readonly hubEndpoint?: string | undefined;
}

/** Where the bytes of a model are. */
export interface ResolvedSource {
  /** The first part, where there are several. */
  readonly source: ModelSource;
  /** SHA-256 that its registry gives, in hexadecimal. */
  readonly sha256: string | null;
}

/**
 * Makes a URL of a reference to a hub. Where the hub cannot be asked, a model that is on the device does.
 *
 * @throws {GgufError} `invalid-source`; of the network
 */
export async function resolveSource(source: ModelSource, options: ResolveOptions): Promise<ResolvedSource> {
  if (typeof source !== 'string') return {source, sha256: null};
  if (!source.startsWith('hf:')) return {source: firstPart(source), sha256: null};
  const {signal, request: settings, hubEndpoint = defaultHubEndpoint} = options;
  try {
    const {url, sha256} = await resolveHubReference(source, hubEndpoint, {signal, settings});
    return {source: firstPart(url), sha256};
  } catch (error) {
    if (!(error instanceof GgufError && error.name === 'network-failed')) throw error;
    const stored = await findStored(source, hubEndpoint);
    if (stored === null) throw error;
    return {source: stored, sha256: null};
  }
}

async function findStored(source: string, endpoint: string): Promise<string | null> {
  const reference = parseHubReference(source);
  const folder = hubFolder(reference, endpoint);
  const models = (await (await ModelStore.open())?.list()) ?? [];
  const files = models
    .filter(({state, url}) => state === 'installed' && url.startsWith(folder))
    .map(({url}) => ({url, path: decodeURIComponent(url.slice(folder.length))}));
  return chooseFile(files, reference.quantisation ?? '')?.url ?? null;
}

const partName = /-\d{5}-of-(\d{5})\.gguf(?=$|[?#])/;

/** Of a model that is divided into files: whichever was named, the first one. */
function firstPart(url: string): string {
  return url.replace(partName, '-00001-of-$1.gguf');
}

/** The URLs of all parts; only the given one where it is no part. */
export function partUrls(url: string): readonly string[] {
  const count = Number(partName.exec(url)?.[1] ?? 1);
  if (count <= 1) return [url];
  const digits = (value: number): string => String(value).padStart(5, '0');
  return Array.from({length: count}, (_, index) =>
    url.replace(partName, `-${digits(index + 1)}-of-${digits(count)}.gguf`),
  );
}
