import {createReadStream, existsSync, statSync} from 'node:fs';
import {join, normalize, resolve} from 'node:path';
import {esbuildPlugin} from '@web/dev-server-esbuild';
import {chromeLauncher} from '@web/test-runner-chrome';
import {chromiumFlags, findChromium} from './test/helpers/find-browser.mjs';

const shared = resolve(import.meta.dirname, '../shared');

/** Serves the reference data, where it stands beside the project, under `/__shared__/`. */
function sharedFiles(context, next) {
  if (!context.path.startsWith('/__shared__/')) return next();
  const path = join(shared, normalize(decodeURIComponent(context.path.slice('/__shared__/'.length))));
  if (!path.startsWith(shared) || !existsSync(path) || !statSync(path).isFile()) {
    context.status = 404;
    return undefined;
  }
  context.type = 'application/octet-stream';
  context.length = statSync(path).size;
  context.body = createReadStream(path);
  return undefined;
}

export default {
  // `npm run conformance` passes its own --files.
  files: ['test/**/*.test.ts', '!test/conformance/**', '!test/bench/**'],
  nodeResolve: true,
  rootDir: import.meta.dirname,
  plugins: [
    esbuildPlugin({ts: true, target: 'es2022', tsconfig: join(import.meta.dirname, 'tsconfig.json')}),
  ],
  middleware: [sharedFiles],
  browsers: [
    chromeLauncher({
      launchOptions: {executablePath: findChromium(), args: chromiumFlags},
      // A window for each test file: in a hidden tab no animation frame ever comes.
      createPage: ({context}) => context.newPage({type: 'window'}),
    }),
  ],
  // Lit's notice that it runs in development mode; a test's own logs stay.
  filterBrowserLogs: ({args}) =>
    !args.some((arg) => typeof arg === 'string' && arg.includes('lit.dev/msg/dev-mode')),
  concurrency: 2,
  testFramework: {config: {timeout: '20000', ui: 'bdd'}},
  testsFinishTimeout: 600_000,
};
