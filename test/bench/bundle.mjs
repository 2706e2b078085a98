import {join} from 'node:path';
import {build} from 'esbuild';

/** The text of a script that puts what `page/<name>.js` does into a page, sources of the runtime included. */
export async function bundlePage(name) {
  const {outputFiles} = await build({
    entryPoints: [join(import.meta.dirname, 'page', `${name}.js`)],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  return outputFiles[0].text;
}
