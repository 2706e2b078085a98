/** Serves the demo from the sources: `npm start`. */
import {join} from 'node:path';
import {esbuildPlugin} from '@web/dev-server-esbuild';

const port = Number(process.env['PORT'] ?? 8000);

/** The address without a path leads to the demo. */
function demoFirst(context, next) {
  if (context.path !== '/') return next();
  context.redirect(`/demo/${context.search}`);
  return undefined;
}

export default {
  rootDir: import.meta.dirname,
  port,
  nodeResolve: true,
  plugins: [
    esbuildPlugin({ts: true, target: 'es2022', tsconfig: join(import.meta.dirname, 'tsconfig.json')}),
    {
      name: 'print-address',
      serverStart: () => void process.stdout.write(`The demo is at http://localhost:${port}/demo/\n`),
    },
  ],
  middleware: [demoFirst],
};
