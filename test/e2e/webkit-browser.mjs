/** WebKitGTK's MiniBrowser on a screen that nobody sees, through WebDriver (https://www.w3.org/TR/webdriver2/). */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {createInterface} from 'node:readline';

/** How long the programs may take to start. */
const startMs = 30_000;
/** How long a script may run. */
const scriptMs = 240_000;

export class WebKitBrowser {
  /** Those that were started, in this order. */
  #processes = [];
  #origin = '';
  #session = '';
  version = '';

  /** @param {{xvfb: string, driver: string}} programs paths, see `findWebKit` */
  static async launch(programs) {
    const browser = new WebKitBrowser();
    try {
      await browser.#start(programs);
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  async goto(url) {
    await this.#command('POST', '/url', {url});
  }

  /** Calls a global function of the page and waits for what it promises. */
  async call(name, args) {
    const script = `const [name, args, done] = arguments;
      globalThis[name](...args).then((value) => done({value}), (error) => done({error: String(error)}));`;
    const {value, error} = await this.#command('POST', '/execute/async', {script, args: [name, args]});
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async close() {
    if (this.#session) await this.#command('DELETE', '');
    for (const process of this.#processes.reverse()) process.kill();
  }

  async #start({xvfb, driver}) {
    const screen = this.#spawn(xvfb, ['-displayfd', '1', '-nolisten', 'tcp'], {});
    // The number of the screen is the first and only line.
    const [line] = await once(createInterface(screen.stdout), 'line', {signal: AbortSignal.timeout(startMs)});
    const port = await freePort();
    this.#spawn(driver, [`--port=${port}`], {...process.env, DISPLAY: `:${line}`});
    this.#origin = `http://127.0.0.1:${port}`;
    await this.#untilReady();
    const capabilities = {alwaysMatch: {timeouts: {script: scriptMs}}};
    const {sessionId, capabilities: actual} = await this.#request('POST', '/session', {capabilities});
    this.#session = `/session/${sessionId}`;
    this.version = `WebKitGTK/${actual.browserVersion}`;
  }

  #spawn(program, args, env) {
    const child = spawn(program, args, {env, stdio: ['ignore', 'pipe', 'ignore']});
    this.#processes.push(child);
    return child;
  }

  async #untilReady() {
    const deadline = performance.now() + startMs;
    for (;;) {
      try {
        return await this.#request('GET', '/status');
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #command(method, path, body) {
    return this.#request(method, this.#session + path, body);
  }

  async #request(method, path, body) {
    const response = await fetch(this.#origin + path, {
      method,
      ...(body && {body: JSON.stringify(body), headers: {'content-type': 'application/json'}}),
    });
    const {value} = await response.json();
    if (response.ok) return value;
    throw new Error(`WebDriver ${method} ${path}: ${value.error}: ${value.message}`);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
