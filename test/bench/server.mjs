import {createReadStream, statSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Passes a file on in pieces, at most `bytesPerSecond` of it. Ends when the client hangs up. */
async function sendSlowly(file, response, bytesPerSecond) {
  const pieceBytes = 256 << 10;
  const started = performance.now();
  let sent = 0;
  for await (const piece of createReadStream(file, {highWaterMark: pieceBytes})) {
    if (response.destroyed) return;
    response.write(piece);
    sent += piece.length;
    const ahead = (sent / bytesPerSecond) * 1000 - (performance.now() - started);
    if (ahead > 0) await delay(ahead);
  }
  response.end();
}

function answer(root, headers, request, response) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const file = join(root, normalize(decodeURIComponent(url.pathname)));
  const facts = file.startsWith(root) ? statSync(file, {throwIfNoEntry: false}) : undefined;
  if (!facts?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    'Content-Type': contentTypes[extname(file)] ?? 'application/octet-stream',
    'Content-Length': facts.size,
    'Cache-Control': 'no-store',
  });
  const bytesPerSecond = Number(url.searchParams.get('bytes-per-second'));
  if (bytesPerSecond > 0) {
    // A client that hangs up in the middle is what the caller wants to see; everything else is reported by the client.
    sendSlowly(file, response, bytesPerSecond).catch(() => response.destroy());
  } else createReadStream(file).pipe(response);
}

/**
 * Serves the files under `root` from a free port of this machine. `?bytes-per-second=N` slows one download down.
 *
 * @param {string} root
 * @param {{isolated?: boolean}} [options] `isolated` sends the headers that make pages cross-origin isolated
 * @returns {Promise<{origin: string, close: () => void}>}
 */
export async function serve(root, {isolated = false} = {}) {
  const headers = isolated ? isolationHeaders : {};
  const server = createServer((request, response) => answer(root, headers, request, response));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const {port} = server.address();
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return {origin: `http://127.0.0.1:${port}`, close};
}
