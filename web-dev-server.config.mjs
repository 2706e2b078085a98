/** Serves the demo from the sources: `npm start`. */
import {join} from 'node:path';
import {esbuildPlugin} from '@web/dev-server-esbuild';

/** Without it, the first free one from 8000 on. */
const {PORT} = process.env;

/** The address without a path leads to the demo. */
function demoFirst(context, next) {
  if (context.path !== '/') return next();
  context.redirect(`/demo/${context.search}`);
  return undefined;
}

export default {
  rootDir: import.meta.dirname,
  ...(PORT === undefined ? {} : {port: Number(PORT)}),
  // Lit's development build would warn visitors of the demo in the console.
  nodeResolve: {exportConditions: ['production']},
  plugins: [
    esbuildPlugin({ts: true, target: 'es2022', tsconfig: join(import.meta.dirname, 'tsconfig.json')}),
    {
      name: 'print-address',
      serverStart: ({config}) =>
        void process.stdout.write(`The demo is at http://localhost:${config.port}/demo/\n`),
    },
  ],
  middleware: [demoFirst],
};
