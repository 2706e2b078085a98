import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import type {FixtureEvent} from '../helpers/fixture-fetch.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {readPieces} from '../helpers/piece-stream.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {freshAnswer} from '../helpers/tiny-runs.ts';

describe('a load that stalls', () => {
  const workerSrc = new URL('../helpers/fixture-fetch-worker.ts', import.meta.url);
  let runtime: GgufRuntime;
  let expected: readonly number[];
  before(async () => {
    runtime = await GgufRuntime.boot({workerSrc});
    await runtime.loadModel(tinyLlama({seed: 7}));
    expected = await freshAnswer(runtime);
  });
  after(() => runtime.terminate());

  let download = 0;
  /** A download that stops coming after `stallAfter` bytes. */
  function stalling(
    stallAfter: number,
    architecture = 'llama',
  ): {url: string; event: (event: FixtureEvent) => Promise<void>} {
    const name = `download-${++download}`;
    const events = new Set<FixtureEvent>();
    const waiting = new Map<FixtureEvent, () => void>();
    new BroadcastChannel(name).onmessage = ({data}: MessageEvent<FixtureEvent>) => {
      events.add(data);
      waiting.get(data)?.();
    };
    const event = (wanted: FixtureEvent): Promise<void> =>
      events.has(wanted) ? Promise.resolve() : new Promise((resolve) => waiting.set(wanted, resolve));
    const query = new URLSearchParams({stallAfter: String(stallAfter), architecture});
    return {url: `https://fixture.example/${name}?${query}`, event};
  }

  /** In the header, and in the tensors. */
  const positions = [1000, tinyLlama().byteLength - 5000];

  for (const position of positions) {
    const where = position === 1000 ? 'its header' : 'its tensors';

    it(`in ${where} ends at once when it is aborted, fetch included`, async () => {
      const {url, event} = stalling(position);
      const controller = new AbortController();
      const load = expectRefusal(() => runtime.loadModel(url, {signal: controller.signal}), 'load-aborted');
      await event('stalled');
      // The runtime answers while it waits for bytes, and after.
      expect(await freshAnswer(runtime)).to.deep.equal(expected);
      controller.abort();
      await load;
      await event('abandoned');
      expect(await freshAnswer(runtime)).to.deep.equal(expected);
    });

    it(`in ${where} gives way to a newer one`, async () => {
      const {url, event} = stalling(position);
      const older = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
      await event('stalled');
      const newer = await runtime.loadModel(tinyLlama({seed: 7, metadata: {'general.name': 'newer'}}));
      await older;
      await event('abandoned');
      const {model, running} = await runtime.diagnostics();
      expect(model).to.deep.equal(newer);
      expect(model?.name).to.equal('newer');
      expect(running).to.deep.equal([]);
      expect(await freshAnswer(runtime)).to.deep.equal(expected);
    });

    it(`in ${where} is ended by free-model`, async () => {
      const {url, event} = stalling(position);
      const load = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
      await event('stalled');
      await runtime.freeModel();
      await load;
      await event('abandoned');
      expect((await runtime.diagnostics()).model).to.equal(null);
      await runtime.loadModel(tinyLlama({seed: 7}));
    });
  }

  it('is refused without its tensors, for all that the header can tell', async () => {
    const bytes = tinyLlama({metadata: {'general.architecture': 'wombat'}});
    const {dataOffset} = await readHeader(readPieces(bytes));
    // The header is read in pieces, which may reach into the tensors.
    const {url, event} = stalling(dataOffset + 65536, 'wombat');
    await expectRefusal(() => runtime.loadModel(url), 'unsupported-architecture', 'wombat');
    await event('abandoned');
    expect(await freshAnswer(runtime)).to.deep.equal(expected);
  });

  it('gives way even where the newer one is refused: the model before stays', async () => {
    const {url, event} = stalling(1000);
    const older = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
    await event('stalled');
    await expectRefusal(() => runtime.loadModel(new Blob(['no model'])), 'not-gguf');
    await older;
    await event('abandoned');
    expect(await freshAnswer(runtime)).to.deep.equal(expected);
  });

  it('gives way at every turn: the newest of many stays', async () => {
    const older = Array.from({length: 7}, (_, index) =>
      expectRefusal(() => runtime.loadModel(stalling(index * 5000).url), 'load-aborted'),
    );
    const newest = await runtime.loadModel(tinyLlama({seed: 7, metadata: {'general.name': 'newest'}}));
    await Promise.all(older);
    expect((await runtime.diagnostics()).model).to.deep.equal(newest);
  });

  it('is not begun with a signal that is aborted already', async () => {
    const signal = AbortSignal.abort();
    const {loads} = (await runtime.diagnostics()).counters;
    await expectRefusal(() => runtime.loadModel(tinyLlama(), {signal}), 'load-aborted');
    expect((await runtime.diagnostics()).counters.loads).to.equal(loads);
  });
});
