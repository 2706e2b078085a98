import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';

describe('GgufRuntime.boot', () => {
  it('tells its version and core, and runs the core that was asked for', async () => {
    const runtime = await GgufRuntime.boot({core: 'baseline'});
    expect(runtime.core).to.equal('baseline');
    const {core, version: reported, schema, shards} = await runtime.diagnostics();
    expect({schema, shards, reported}).to.deep.equal({schema: 1, shards: null, reported: runtime.version});
    expect(core.variant).to.equal('baseline');
    expect(core.relaxedDot).to.equal(null);
    expect(core.sha256).to.match(/^[0-9a-f]{64}$/);
    runtime.terminate();
  });

  it('refuses what it does not have', async () => {
    const error = await expectRefusal(() => GgufRuntime.boot({threads: 2} as object), 'unsupported-feature');
    expect(error.field).to.equal('threads');
  });

  it('starts nothing for a signal that is aborted already', async () => {
    const boot = GgufRuntime.boot({signal: AbortSignal.abort()});
    expect(await boot.catch((error: Error) => error.name)).to.equal('AbortError');
  });

  it('ends at an abort', async () => {
    const controller = new AbortController();
    const boot = expectRefusal(() => GgufRuntime.boot({signal: controller.signal}), 'terminated');
    controller.abort();
    await boot;
  });

  it('names a Worker script that is not there', async () => {
    const workerSrc = new URL('no-such-worker.js', import.meta.url);
    await expectRefusal(() => GgufRuntime.boot({workerSrc}), 'worker-failed');
  });

  it('rejects all that is under way on terminate', async () => {
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama({contextLength: 4096}));
    const run = runtime.generate({tokens: [1], ignoreEndOfGeneration: true});
    const load = expectRefusal(() => runtime.loadModel(new Blob([tinyLlama()])), 'terminated');
    runtime.terminate();
    await load;
    await expectRefusal(() => run.result, 'terminated');
    await expectRefusal(() => runtime.diagnostics(), 'terminated');
  });
});
