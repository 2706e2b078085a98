import {Random} from '../random.ts';
import type {TensorInput} from '../write-gguf.ts';
import type {Complete} from './recipe.ts';

/** Random tensors, named without their layer where a recipe lists them. */
export class TensorMaker {
  readonly #recipe: Pick<Complete, 'biases' | 'scales' | 'norm' | 'normSizes'>;
  readonly #random = new Random(7);

  constructor(recipe: Pick<Complete, 'biases' | 'scales' | 'norm' | 'normSizes'>) {
    this.#recipe = recipe;
  }

  /**
   * A matrix and what else its product has: inputs of variance one give outputs of variance gain².
   *
   * @param count of matrices, one behind the other; `undefined`: one, in a tensor of two dimensions
   */
  matrix(name: string, columns: number, rows: number, gain = 1, count?: number): TensorInput[] {
    const {biases, scales} = this.#recipe;
    const more = count === undefined ? [] : [count];
    const data = this.#random.uniform(columns * rows * (count ?? 1), gain * Math.sqrt(3 / columns));
    return [
      {name: `${name}.weight`, type: 'F32', dimensions: [columns, rows, ...more], data},
      ...(biases.includes(kindOf(name)) ? [this.bias(name, [rows, ...more])] : []),
      ...(scales.includes(kindOf(name)) ? [this.weight(`${name}.scale`, [count ?? 1])] : []),
    ];
  }

  norm(name: string, length: number): TensorInput[] {
    const {norm} = this.#recipe;
    if (norm === 'plain') return [];
    const weight = this.weight(`${name}.weight`, [length]);
    return norm === 'rms' || norm === 'layer' ? [weight] : [weight, this.bias(name, [length])];
  }

  /** Factors about one, or about what the recipe says. */
  weight(name: string, dimensions: readonly number[]): TensorInput {
    const size = this.#recipe.normSizes[kindOf(name).replace(/\.weight$/, '')] ?? 1;
    return this.vector(name, dimensions, size, 0.3 * size);
  }

  /** Exponents of what a state keeps: below 0. */
  rates(name: string, dimensions: readonly number[]): TensorInput {
    return this.vector(name, dimensions, -0.45, 0.4);
  }

  bias(name: string, dimensions: readonly number[]): TensorInput {
    return this.vector(`${name}.bias`, dimensions, 0, 0.4);
  }

  /** Numbers within `spread` of `centre`. */
  vector(name: string, dimensions: readonly number[], centre: number, spread: number): TensorInput {
    const data = this.#random.uniform(product(dimensions), spread).map((value) => centre + value);
    return {name, type: 'F32', dimensions, data};
  }
}

/** The name of a tensor within its layer. */
const kindOf = (name: string): string => name.replace(/^blk\.\d+\./, '');

function product(factors: readonly number[]): number {
  return factors.reduce((result, factor) => result * factor, 1);
}
