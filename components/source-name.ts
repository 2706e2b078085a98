import type {ChatModelSource} from './session-types.ts';

/** What to call a source before people: the file's name, where it has one. */
export function sourceName(source: ChatModelSource | null): string | null {
  if (source instanceof File) return source.name;
  if (source === null || source instanceof Blob || source instanceof ArrayBuffer) return null;
  const url = String(source);
  if (!URL.canParse(url)) return url;
  const {pathname, host} = new URL(url);
  return decoded(pathname.slice(pathname.lastIndexOf('/') + 1)) || host;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray percent sign: a name all the same.
    return segment;
  }
}
