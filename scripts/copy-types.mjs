/** Copies the declarations that `tsc` wrote into the package. */
import {cpSync, rmSync} from 'node:fs';

rmSync('dist/types', {recursive: true, force: true});
cpSync('build/js', 'dist/types', {
  recursive: true,
  filter: (path) => !/\.js$/.test(path),
});
