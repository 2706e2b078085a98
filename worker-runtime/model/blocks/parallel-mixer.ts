import type {Rows} from '../scratch.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

/** y = first(x) + second(x) */
export class ParallelMixer implements Block {
  readonly #first: Block;
  readonly #second: Block;
  readonly #kernels: Kernels;

  constructor(first: Block, second: Block, kernels: Kernels) {
    this.#first = first;
    this.#second = second;
    this.#kernels = kernels;
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {scratch, core} = this.#kernels;
    const second = scratch.rows('second mixer', y.columns);
    await this.#first.run(x, y, pass);
    await pass.checkpoint();
    await this.#second.run(x, second, pass);
    core.exports.add(y.pointer, y.pointer, second.pointer, (pass.tokens * y.stride) / 4);
  }
}
