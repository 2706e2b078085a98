import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {arch, cpus, loadavg, platform, release, totalmem} from 'node:os';

/** What the first line of a command says, or `null` where it cannot be asked. */
function ask(command, args) {
  const {status, stdout} = spawnSync(command, args, {cwd: import.meta.dirname, encoding: 'utf8'});
  return status === 0 ? stdout.trim() : null;
}

function readIfLinux(file) {
  return platform() === 'linux' ? readFileSync(file, 'utf8') : '';
}

/** The vector extensions of the processor that decide how fast integer products are; Linux only. */
function vectorExtensions() {
  const flags = /^flags\s*:(.*)$/m.exec(readIfLinux('/proc/cpuinfo'))?.[1].split(' ') ?? [];
  return flags.filter((flag) => /^(avx2|avx512f|avx_vnni|avx512_vnni)$/.test(flag));
}

/** Whatever a figure depends on beside the code: goes into every result. */
export function describeEnvironment(browserVersion) {
  const processors = cpus();
  const changes = ask('git', ['status', '--porcelain', '--untracked-files=no']);
  return {
    date: new Date().toISOString(),
    revision: ask('git', ['rev-parse', 'HEAD']),
    uncommittedChanges: changes === null ? null : changes !== '',
    browser: browserVersion,
    operatingSystem: /^PRETTY_NAME="(.*)"$/m.exec(readIfLinux('/etc/os-release'))?.[1] ?? platform(),
    kernel: release(),
    architecture: arch(),
    processor: processors[0]?.model ?? 'unknown',
    processorCount: processors.length,
    vectorExtensions: vectorExtensions(),
    memoryBytes: totalmem(),
    /** Processes that wanted a core in the minute before: above 0.5, the machine was not quiet. */
    loadAverage: loadavg()[0],
  };
}
