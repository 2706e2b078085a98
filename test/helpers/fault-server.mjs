/**
 * A file server that fails as it is told. The path names the file (`register`); the query says what goes wrong:
 *
 *   cut=N         the connection ends after N bytes of this answer; `cuts=K` of them do, by default all
 *   stall=N       nothing more comes after N bytes; `stalls=K`
 *   status=N      the answer has this status; `statuses=K`
 *   norange       requests for a part are answered with the whole
 *   length=N      Content-Length says N
 *   nolength      there is none
 *   novalidator   neither ETag nor Last-Modified; `weak`: a weak ETag only; `noetag`: Last-Modified only
 *   changeafter=K the file is another one from request K on
 *   corrupt=N     byte N is another one; `corruptuntil=K`: up to request K
 *   gzip          the body is compressed
 *   redirect      to the same without it
 *   chunk=N, delay=MS   N bytes at a time, MS between them
 *   gone=K        from request K on there is no answer, until `mended`
 *   badrange      a part begins 1 byte too late
 *   nocors        no header allows other origins
 */
import {createServer} from 'node:http';
import {gzipSync} from 'node:zlib';

export class FaultServer {
  #files = new Map();
  #counts = new Map();
  /** Bytes of bodies that were sent, by path. */
  #sent = new Map();
  /** Whether servers that were `gone` answer again. */
  mended = false;
  #server = createServer((request, response) => void this.#answer(request, response));

  async start() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Serves `bytes` at `/name`. */
  register(name, bytes, {type = 'application/octet-stream'} = {}) {
    this.#files.set(`/${name}`, {bytes, type, version: 1});
  }

  /** Another file at the same place. */
  replace(name, bytes) {
    const {type, version} = this.#files.get(`/${name}`);
    this.#files.set(`/${name}`, {bytes, type, version: version + 1});
  }

  /** Bytes of the bodies of all answers for a file. */
  sent(name) {
    return this.#sent.get(`/${name}`) ?? 0;
  }

  /** Serves the file of another name, if there is one, under this one, too. */
  alias(name, of) {
    const file = this.#files.get(`/${of}`);
    if (file) this.#files.set(`/${name}`, {...file});
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.origin);
    const {searchParams: faults, pathname} = url;
    const key = pathname + url.search;
    // Questions do not count.
    const isQuestion = request.method !== 'GET';
    const count = (this.#counts.get(key) ?? 0) + (isQuestion ? 0 : 1);
    this.#counts.set(key, count);
    const number = (name, fallback = Infinity) => (faults.has(name) ? Number(faults.get(name)) : fallback);
    if (count >= number('gone') && !this.mended) return request.socket.destroy();
    const headers = {'Cross-Origin-Resource-Policy': 'cross-origin'};
    if (!faults.has('nocors')) {
      headers['Access-Control-Allow-Origin'] = '*';
      headers['Access-Control-Allow-Headers'] = 'Range, If-Range, X-Token';
      headers['Access-Control-Expose-Headers'] = faults.has('hidden') ? '' : 'Content-Range, ETag';
    }
    if (request.method === 'OPTIONS') return response.writeHead(204, headers).end();
    const file = this.#files.get(pathname);
    if (!file) return response.writeHead(404, headers).end('not here');
    if (faults.has('status') && count <= number('statuses')) {
      return response.writeHead(number('status'), headers).end('an error page');
    }
    if (faults.has('redirect')) {
      url.searchParams.delete('redirect');
      return response.writeHead(302, {...headers, Location: url.href}).end();
    }
    if (faults.has('token') && request.headers['x-token'] !== faults.get('token')) {
      return response.writeHead(401, headers).end();
    }
    let {bytes} = file;
    let {version} = file;
    if (count >= number('changeafter')) {
      bytes = Buffer.concat([bytes, Buffer.alloc(1)]);
      version += 1000;
    }
    if (faults.has('corrupt') && count <= number('corruptuntil')) {
      bytes = Buffer.from(bytes);
      bytes[number('corrupt')] ^= 0xff;
    }
    const etag = `"v${version}"`;
    if (!faults.has('novalidator')) {
      if (!faults.has('noetag')) headers.ETag = faults.has('weak') ? `W/${etag}` : etag;
      if (!faults.has('weak')) headers['Last-Modified'] = new Date(1.7e12 + version * 1000).toUTCString();
    }
    await this.#send(request, response, {
      faults,
      number,
      count,
      headers,
      bytes,
      etag,
      type: file.type,
      pathname,
    });
  }

  async #send(request, response, {faults, number, count, headers, bytes, etag, type, pathname}) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const isCurrent = !condition || condition === etag || condition === headers['Last-Modified'];
    let body = bytes;
    let status = 200;
    if (range && !faults.has('norange') && isCurrent) {
      const start = Number(range[1]) + (faults.has('badrange') ? 1 : 0);
      const end = Math.min(range[2] === '' ? bytes.length - 1 : Number(range[2]), bytes.length - 1);
      if (start >= bytes.length) {
        response.writeHead(416, {...headers, 'Content-Range': `bytes */${bytes.length}`}).end();
        return;
      }
      status = 206;
      body = bytes.subarray(start, end + 1);
      headers['Content-Range'] = `bytes ${start}-${end}/${bytes.length}`;
    } else if (faults.has('gzip')) {
      body = gzipSync(bytes);
      headers['Content-Encoding'] = 'gzip';
    }
    if (!faults.has('nolength')) headers['Content-Length'] = number('length', body.length);
    response.writeHead(status, {...headers, 'Content-Type': type});
    if (request.method === 'HEAD') return response.end();
    const cut = count <= number('cuts') ? number('cut') : Infinity;
    const stall = count <= number('stalls') ? number('stall') : Infinity;
    const end = Math.min(body.length, cut, stall);
    const chunk = number('chunk', 256 * 1024);
    for (let at = 0; at < end; at += chunk) {
      const piece = body.subarray(at, Math.min(end, at + chunk));
      if (response.destroyed) return;
      this.#sent.set(pathname, (this.#sent.get(pathname) ?? 0) + piece.length);
      await new Promise((resolve) => {
        response.write(piece, resolve);
        response.once('close', resolve);
      });
      response.removeAllListeners('close');
      if (faults.has('delay')) await new Promise((resolve) => setTimeout(resolve, number('delay')));
    }
    if (stall < body.length) return;
    // What was sent arrives before the connection ends.
    if (cut < body.length) response.socket?.end();
    else response.end();
  }
}
