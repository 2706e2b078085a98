import {expect} from '@open-wc/testing';
import {newCounters} from '../../../worker-runtime/diagnostics.ts';
import {protocolVersion} from '../../../worker-runtime/protocol.ts';
import type {CommandKind} from '../../../worker-runtime/protocol.ts';
import {Runtime} from '../../../worker-runtime/runtime.ts';
import type {RequestContext} from '../../../worker-runtime/runtime.ts';
import {shardWorkerName} from '../../../worker-runtime/shards/shard-worker.ts';
import {tinyLlama} from '../../helpers/gguf-writer.ts';
import {expectRefusal} from '../../helpers/refusal.ts';
import {endless, greedy, longContext} from '../../helpers/tiny-runs.ts';

/** Noticed within, milliseconds. */
const bound = 1000;
const rounds = 12;

const request = <K extends CommandKind>(onNotification: () => void = () => undefined): RequestContext<K> => {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    notify: onNotification,
  };
};

/** A runtime in the page, whose shards' Workers the test can end. */
class FragileRuntime {
  readonly runtime: Runtime;
  /** Of the last load. */
  workers: Worker[] = [];

  constructor(script: () => URL = () => new URL('/worker-runtime/worker.ts', location.href)) {
    this.runtime = new Runtime(newCounters(), () => {
      const worker = new Worker(script(), {type: 'module', name: shardWorkerName});
      this.workers.push(worker);
      return worker;
    });
  }

  async load(shards: number): Promise<void> {
    this.workers = [];
    await this.runtime.boot({protocolVersion, shards});
    await this.runtime.loadModel({source: tinyLlama({contextLength: longContext})}, request());
  }

  async answer(): Promise<readonly number[]> {
    return (await this.runtime.generate(greedy, request())).tokens;
  }

  end(): Promise<unknown> {
    return this.runtime.freeModel({});
  }
}

describe('a shard that ends', () => {
  it('in an answer, at any time: the run fails soon, and the next load is whole', async function () {
    this.timeout(60_000);
    const fragile = new FragileRuntime();
    await fragile.load(3);
    const expected = await fragile.answer();
    for (let round = 0; round < rounds; round++) {
      let killed = 0;
      const run = fragile.runtime.generate(endless, request());
      setTimeout(
        () => {
          killed = performance.now();
          fragile.workers[round % 2]?.terminate();
        },
        1 + 3 * round,
      );
      await expectRefusal(() => run, 'shard-failed');
      expect(performance.now() - killed).to.be.lessThan(bound);
      await expectRefusal(() => fragile.answer(), 'no-model');
      await fragile.load(3);
      expect(await fragile.answer()).to.deep.equal(expected);
    }
    await fragile.end();
  });

  it('between answers: the next command says so', async () => {
    const fragile = new FragileRuntime();
    await fragile.load(2);
    fragile.workers[0]?.terminate();
    const {name} = await fragile.answer().then(
      () => ({name: 'nothing'}),
      (error: Error) => error,
    );
    expect(name).to.equal('shard-failed');
    await fragile.end();
  });

  it('is told by the diagnostics, which nobody waits for in vain', async () => {
    const fragile = new FragileRuntime();
    await fragile.load(2);
    const [one, other] = await Promise.all([
      fragile.runtime.diagnostics([]),
      fragile.runtime.diagnostics([]),
    ]);
    expect(one.shards?.each).to.have.length(2);
    expect(other.shards).to.deep.equal(one.shards);
    fragile.workers[0]?.terminate();
    await expectRefusal(() => fragile.runtime.diagnostics([]), 'shard-failed');
    await expectRefusal(() => fragile.runtime.diagnostics([]), 'shard-failed');
    await fragile.end();
  });

  it('before it began: the model is loaded over fewer, and the diagnostics tell', async () => {
    const fragile = new FragileRuntime(() => new URL('/no-such-script.js', location.href));
    await fragile.load(2);
    const {shards, fallbacks} = await fragile.runtime.diagnostics([]);
    expect(shards?.each).to.have.length(1);
    expect(fallbacks.join()).to.contain('shard');
    expect(await fragile.answer()).to.have.length(greedy.maxTokens);
    await fragile.end();
  });
});
