import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const here = import.meta.dirname;
const installed = join(here, 'node_modules/@wllama/wllama/package.json');

/** Installs the peer at the version of this folder's lock file, where it is missing, and returns its version. */
export function installPeer() {
  if (!existsSync(installed)) {
    process.stderr.write('Installing the peer (wllama) in test/bench …\n');
    const {status} = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: here,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (status !== 0) throw new Error('The peer could not be installed; --no-peer measures without it');
  }
  return JSON.parse(readFileSync(installed, 'utf8')).version;
}
