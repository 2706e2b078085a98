/** What the suites that generate with a `tinyLlama` have in common. */
import type {GgufRuntime, TokenEvent} from '../../worker-runtime/client/index.ts';

export const prompt: readonly number[] = [1, 270, 280, 290, 300, 271, 281, 291];
/** Random models would end anywhere. */
export const greedy = {tokens: prompt, maxTokens: 24, ignoreEndOfGeneration: true} as const;
/** Until the context is full. */
export const endless = {tokens: prompt, ignoreEndOfGeneration: true} as const;
/** A context that takes so long to fill that a cancel comes before, also from a page that is held up. */
export const longContext = 16384;

export async function collect(run: AsyncIterable<TokenEvent>): Promise<TokenEvent[]> {
  const tokens: TokenEvent[] = [];
  for await (const token of run) tokens.push(token);
  return tokens;
}

export const textOf = (tokens: readonly TokenEvent[]): string => tokens.map(({text}) => text).join('');

/** Ordinary tokens; another `seed` gives others from the first one on. */
export const anyTokens = (count: number, seed = 1): number[] =>
  Array.from({length: count}, (_, index) => (index * 31 + seed * 17) % 300);

/** A greedy answer from an empty context: the same as long as the model is. */
export async function freshAnswer(runtime: GgufRuntime): Promise<readonly number[]> {
  await runtime.resetContext();
  return (await runtime.generate({...greedy, maxTokens: 8}).result).tokens;
}
