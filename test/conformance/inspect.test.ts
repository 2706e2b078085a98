/** What an inspection of the header says of each reference model, against what its load takes. */
import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {sharedFile, sharedJson} from '../helpers/shared.ts';

/** Of the memory that is really there. */
const tolerance = 0.02;

describe('inspections of the reference models', function () {
  this.timeout(120_000);
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  it('say what a load takes, for one shard and for two', async () => {
    const models = await sharedJson<readonly {readonly file: string}[]>('models/index.json');
    expect(models.length).to.be.greaterThan(50);
    for (const {file: name} of models) {
      const blob = await (await sharedFile(`models/${name}`)).blob();
      for (const shards of [1, 2]) {
        const {refusal, model, fileBytes} = await runtime.inspect(blob, {shards});
        expect(refusal, name).to.equal(null);
        const loaded = await runtime.loadModel(blob, {shards});
        const {memory} = await runtime.diagnostics();
        expect(fileBytes).to.equal(blob.size);
        expect(model?.memory, name).to.deep.equal(loaded.memory);
        expect(model?.architecture).to.equal(loaded.architecture);
        expect(model?.memory.total, name).to.be.closeTo(memory.wasmBytes, memory.wasmBytes * tolerance);
      }
    }
  });
});
