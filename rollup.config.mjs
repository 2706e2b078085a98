/**
 * From the compiled TypeScript in `build/js` to `dist`:
 * the Worker (one file with both cores), the modules for bundlers (Lit stays an import), and the drop-in (everything
 * in one file, the Worker's source included).
 */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {nodeResolve} from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const cores = fileURLToPath(new URL('wasm/build/cores.js', import.meta.url));

/** The cores are generated beside their source, not under `build/js`. */
const generatedCores = {
  name: 'generated-cores',
  resolveId: (id) => (id.endsWith('wasm/build/cores.js') ? cores : null),
};

/** Replaces `worker-location.ts`, which names the source checkout's Worker, by what holds for a bundle. */
const workerLocation = (code) => ({
  name: 'worker-location',
  load: (id) => (id.endsWith('worker-runtime/client/worker-location.js') ? code() : null),
});

const besideTheModule = workerLocation(
  () =>
    `export const workerLocation = {url: new URL('./gguf-chat.worker.js', import.meta.url), source: null};`,
);
const inlined = workerLocation(() => {
  const source = readFileSync(new URL('dist/gguf-chat.worker.js', import.meta.url), 'utf8');
  return `export const workerLocation = {url: null, source: ${JSON.stringify(source)}};`;
});

const minify = terser({ecma: 2020, module: true, format: {comments: false}});

export default [
  {
    input: 'build/js/worker-runtime/worker.js',
    output: {file: 'dist/gguf-chat.worker.js', format: 'es'},
    plugins: [generatedCores, nodeResolve(), minify],
  },
  {
    input: {
      index: 'build/js/components/index.js',
      define: 'build/js/components/define.js',
      controller: 'build/js/components/chat-controller.js',
      runtime: 'build/js/worker-runtime/client/index.js',
    },
    external: [/^lit(\/|$)/, /^@lit\//],
    output: {dir: 'dist', format: 'es', chunkFileNames: 'shared-[name].js'},
    plugins: [besideTheModule, nodeResolve()],
  },
  {
    input: 'build/js/components/define.js',
    output: {file: 'dist/gguf-chat.js', format: 'es'},
    plugins: [inlined, nodeResolve(), minify],
  },
];
