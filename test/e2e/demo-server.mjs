/** The demo as `npm start` serves it: @web/dev-server, from the sources, on a port that is free. */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const demoModel = join(root, 'demo/model/pip.gguf');

/** Starts when the first scenario asks for it, serves them all, ends with the run. */
export class DemoServer {
  #running = null;

  /** The address without a path, e.g. `http://localhost:34567`. */
  async origin() {
    return (await (this.#running ??= start())).origin;
  }

  async close() {
    const running = await this.#running?.catch(() => null);
    running?.server.kill();
  }
}

async function start() {
  if (!existsSync(demoModel)) throw new Error(`The demo's model is missing: ${demoModel}`);
  const port = await freePort();
  // What `npx wds` runs, but as a child of ours, so that it can be ended.
  const server = spawn(process.execPath, [join(root, 'node_modules/@web/dev-server/dist/bin.js')], {
    cwd: root,
    env: {...process.env, PORT: String(port)},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => server.kill());
  const address = await printedAddress(server).catch((error) => {
    server.kill();
    throw error;
  });
  return {server, origin: new URL(address).origin};
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, () => resolve(undefined)));
  const {port} = /** @type {import('node:net').AddressInfo} */ (probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Waits for the line that a developer reads. */
function printedAddress(server) {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`The demo did not start:\n${output}`)), 60_000);
    const read = (chunk) => {
      output += chunk;
      const [, address] = /The demo is at (\S+)\n/.exec(output) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The demo's server ended with ${code}:\n${output}`));
    });
  });
}
