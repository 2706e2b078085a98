import {expect} from '@open-wc/testing';
import {chooseCore} from '../../../worker-runtime/core/choose-core.ts';
import {computeFormats} from '../../../worker-runtime/core/core-exports.ts';
import {Core} from '../../../worker-runtime/core/core.ts';

describe('chooseCore', () => {
  it('gives a calculator whose sizes are those of the core that will run', async () => {
    const {core} = await chooseCore();
    const {exports} = await Core.instantiate(core, 65536);
    for (const format of Object.values(computeFormats)) {
      for (const tokens of [1, 4, 64]) {
        expect(core.calculator.activationBytes(format, 256, tokens), `format ${format}`).to.equal(
          exports.activationBytes(format, 256, tokens),
        );
      }
    }
  });
});
