/** A small HTTP server for the end-to-end tests: files under given names, with the headers that a scenario asks for. */
import {createReadStream, readdirSync, statSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.gguf': 'application/octet-stream',
};

/**
 * @typedef {object} Route
 * @property {string} [file] path of the file to send
 * @property {string} [body] or the text itself
 * @property {string} [type] content type, by default from the name
 * @property {Record<string, string>} [headers]
 * @property {number} [bytesPerSecond] slows the answer down
 */

/** Routes of every script of the built package, at the root. */
export function builtScripts() {
  const names = readdirSync(dist).filter((name) => name.endsWith('.js'));
  return names.map((name) => [`/${name}`, {file: dist + name}]);
}

/** With these headers on everything, a page is cross-origin isolated. */
export const isolationHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Serves `routes` (path → {@link Route}) and notes every request.
 *
 * @param {Map<string, Route>} routes
 * @param {Record<string, string>} [everywhere] headers of all answers
 */
export async function serve(routes, everywhere = {}) {
  /** @type {{path: string, aborted: boolean}[]} */
  const requests = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const entry = {path, aborted: false};
    requests.push(entry);
    response.on('close', () => (entry.aborted = !response.writableFinished));
    const route = routes.get(path);
    if (!route) return void response.writeHead(404).end('not found');
    const type = route.type ?? types[extname(path)] ?? 'text/plain';
    const headers = {'content-type': type, ...everywhere, ...route.headers};
    if (route.file === undefined) return void response.writeHead(200, headers).end(route.body);
    response.writeHead(200, {...headers, 'content-length': statSync(route.file).size});
    return void send(route, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const {port} = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send({file, bytesPerSecond}, response) {
  const stream = createReadStream(file, {highWaterMark: 16384});
  for await (const chunk of stream) {
    if (response.destroyed) break;
    response.write(chunk);
    if (bytesPerSecond)
      await new Promise((resolve) => setTimeout(resolve, (chunk.length / bytesPerSecond) * 1000));
  }
  response.end();
}
