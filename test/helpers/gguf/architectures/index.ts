/** Small models of the dense architectures, with the keys and tensors of real files. */
import {gptLike} from './gpt-like.ts';
import {llamaLike} from './llama-like.ts';
import type {TinyRecipe} from './tiny-model.ts';
import {windowedAndScaled} from './windowed-and-scaled.ts';

export {f32, tinyModel} from './tiny-model.ts';
export type {TinyRecipe} from './tiny-model.ts';

/** By a description that begins with the name of the architecture. */
export const tinyRecipes: Readonly<Record<string, TinyRecipe>> = {
  ...llamaLike,
  ...gptLike,
  ...windowedAndScaled,
};
