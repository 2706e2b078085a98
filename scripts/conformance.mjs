/** Runs the conformance suites where the reference data stand beside the project, and says so where they do not. */
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';

if (!existsSync(new URL('../../shared/models/index.json', import.meta.url))) {
  process.stdout.write(
    'Conformance did NOT run: no reference data in ../shared. (They are not part of this repository; CI has them.)\n',
  );
  process.exit(0);
}
const files = process.argv.length > 2 ? process.argv.slice(2) : ['test/conformance/**/*.test.ts'];
const run = (command, args) => {
  const {status} = spawnSync(command, args, {stdio: 'inherit'});
  if (status !== 0) process.exit(status ?? 1);
};
run(process.execPath, ['wasm/build.mjs']);
run('npx', ['wtr', ...files.flatMap((file) => ['--files', file])]);
