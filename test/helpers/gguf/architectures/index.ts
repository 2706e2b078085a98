/** Small models of the architectures, with the keys and tensors of real files. */
import {withExperts} from './with-experts.ts';
import {gptLike} from './gpt-like.ts';
import {recurrent} from './recurrent.ts';
import {llamaLike} from './llama-like.ts';
import type {TinyRecipe} from './recipe.ts';
import {windowedAndScaled} from './windowed-and-scaled.ts';

export {tinyModel} from './tiny-model.ts';
export type {TinyRecipe} from './recipe.ts';

/** By a description that begins with the name of the architecture. */
export const tinyRecipes: Readonly<Record<string, TinyRecipe>> = {
  ...llamaLike,
  ...gptLike,
  ...windowedAndScaled,
  ...withExperts,
  ...recurrent,
};
