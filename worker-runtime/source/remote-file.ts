/** What a server says of a file, as far as the page may see it: enough to know it again. */
export interface RemoteFile {
  /** Bytes of the whole file. */
  readonly size: number | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export function remoteFileOf(response: Response): RemoteFile {
  const {headers} = response;
  return {
    size: rangeOf(headers)?.total ?? (response.status === 206 ? null : declaredLength(headers)),
    etag: headers.get('ETag'),
    lastModified: headers.get('Last-Modified'),
  };
}

/** Whether parts of the two can be put together: only where that is proven. */
export function isSameFile(first: RemoteFile, second: RemoteFile): boolean {
  if (isOtherFile(first, second)) return false;
  if (isStrong(first.etag) && first.etag === second.etag) return true;
  return first.lastModified !== null && first.lastModified === second.lastModified;
}

/** Whether the file has changed for certain. */
export function isOtherFile(first: RemoteFile, second: RemoteFile): boolean {
  if (first.size !== null && second.size !== null && first.size !== second.size) return true;
  if (first.etag !== null && second.etag !== null) return opaque(first.etag) !== opaque(second.etag);
  return (
    first.lastModified !== null && second.lastModified !== null && first.lastModified !== second.lastModified
  );
}

/** Whether a download of it can be taken up again later. */
export function isResumable({etag, lastModified}: RemoteFile): boolean {
  return isStrong(etag) || lastModified !== null;
}

function isStrong(etag: string | null): etag is string {
  return etag !== null && !etag.startsWith('W/');
}

/** Of the same file a server may give a weak tag with one encoding and a strong one without. */
function opaque(etag: string): string {
  return etag.replace(/^W\//, '');
}

/** `Content-Range`, where there is one that can be read. */
export function rangeOf(headers: Headers): {readonly start: number; readonly total: number | null} | null {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('Content-Range') ?? '');
  if (!match) return null;
  return {start: Number(match[1]), total: match[2] === '*' ? null : Number(match[2])};
}

/** `Content-Length`, unless it counts the bytes of an encoded body. */
export function declaredLength(headers: Headers): number | null {
  const length = headers.get('Content-Length') ?? '';
  if (isEncoded(headers) || !/^\d+$/.test(length)) return null;
  return Number.isSafeInteger(Number(length)) ? Number(length) : null;
}

export function isEncoded(headers: Headers): boolean {
  return (headers.get('Content-Encoding') ?? 'identity') !== 'identity';
}
