import {expect} from '@open-wc/testing';
import {newCounters} from '../../worker-runtime/diagnostics.ts';
import {protocolVersion} from '../../worker-runtime/protocol.ts';
import {Runtime} from '../../worker-runtime/runtime.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';

function request() {
  const controller = new AbortController();
  return {signal: controller.signal, abort: () => controller.abort(), notify: () => undefined};
}

describe('Runtime', () => {
  it('makes the handles of a model stale before it ends what runs on it', async () => {
    const runtime = new Runtime(newCounters());
    await runtime.boot({protocolVersion});
    const first = await runtime.loadModel({source: tinyLlama({contextLength: 4096})}, request());
    const context = request();
    const refusals: Promise<unknown>[] = [];
    const run = runtime.generate(
      {tokens: [1], ignoreEndOfGeneration: true},
      {
        ...context,
        // Called when the next model has taken the place of this one, and this one still runs.
        abort: () => {
          refusals.push(
            expectRefusal(() => runtime.freeModel({model: first.model}), 'stale-handle'),
            expectRefusal(() => runtime.resetContext({sequence: first.sequence}), 'stale-handle'),
          );
          context.abort();
        },
      },
    );
    const second = await runtime.loadModel({source: tinyLlama()}, request());
    expect((await run).finishReason).to.equal('cancelled');
    expect(refusals).to.have.length(2);
    await Promise.all(refusals);
    expect((await runtime.diagnostics([])).model).to.deep.equal(second);
  });
});
