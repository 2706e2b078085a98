import type {SpecialTokens} from './special-tokens.ts';
import type {Vocabulary} from './vocabulary.ts';

/** Control tokens that end a turn or a text, in the families of models there are. */
const endTexts: ReadonlySet<string> = new Set([
  '</s>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|eot|>',
  '<|end_of_turn|>',
  '<|END_OF_TURN_TOKEN|>',
  '<|END_RESPONSE|>',
  '<end_of_turn>',
  '<turn|>',
  '<end_of_utterance>',
  '<EOT>',
  '[EOT]',
  '<｜end▁of▁sentence｜>',
]);

/** Control tokens for filling in the middle of code. */
const fillInTexts: ReadonlySet<string> = new Set([
  '<|fim_prefix|>',
  '<|fim_suffix|>',
  '<|fim_middle|>',
  '<|fim_pad|>',
  '<|repo_name|>',
  '<|file_sep|>',
  '<fim_prefix>',
  '<fim_suffix>',
  '<fim_middle>',
  '<fim_pad>',
  '<reponame>',
  '<file_sep>',
]);

/** Tokens that must be control tokens, whatever a careless converter made of them. */
export const knownControlTexts: readonly string[] = [...endTexts, ...fillInTexts];

/** The tokens that end an answer: those that the file names, and those that are known by their text. */
export function endOfGenerationTokens(vocabulary: Vocabulary, special: SpecialTokens): ReadonlySet<number> {
  const named = [special.eos, special.eot, special.eom].filter((id) => id !== null);
  const tokens = new Set(named);
  // The harmony format ends messages with <|end|>, and answers, of several messages, with the other two.
  const harmony = vocabulary.id('<|return|>') !== undefined && vocabulary.id('<|call|>') !== undefined;
  for (const text of endTexts) {
    const id = vocabulary.id(text);
    if (id !== undefined && !(harmony && text === '<|end|>')) tokens.add(id);
  }
  return tokens;
}
