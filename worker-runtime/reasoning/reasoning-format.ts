import type {Tokenizer} from '../tokenizer/tokenizer.ts';

/** What a piece of an answer is part of. */
export type Part = 'reasoning' | 'content';

/** A text that models write between the parts of an answer; it belongs to neither. */
export interface Mark {
  readonly text: string;
  /** What follows. */
  readonly begins: Part;
  /** Whether it is only one where nothing of the answer has been written yet: elsewhere it is what the answer is about. */
  readonly onlyFirst?: boolean;
}

/** How a family of models sets apart what it thinks from what it says. */
export type ReasoningFormat = readonly Mark[];

const opening = (text: string): Mark => ({text, begins: 'reasoning', onlyFirst: true});
const closing = (text: string): Mark => ({text, begins: 'content'});

/** The first mark of each is what a template is recognised by. */
const formats: readonly ReasoningFormat[] = [
  // gpt-oss's harmony: an answer is several messages, each in a channel.
  [
    {text: '<|channel|>analysis<|message|>', begins: 'reasoning'},
    {text: '<|start|>assistant<|channel|>analysis<|message|>', begins: 'reasoning'},
    closing('<|start|>assistant<|channel|>final<|message|>'),
    closing('<|start|>assistant<|channel|>commentary<|message|>'),
    closing('<|channel|>final<|message|>'),
    closing('<|channel|>commentary<|message|>'),
    closing('<|end|>'),
  ],
  // Gemma 4
  [{text: '<|channel>thought\n', begins: 'reasoning'}, closing('<channel|>')],
  // Command R and A
  [
    opening('<|START_THINKING|>'),
    closing('<|END_THINKING|>'),
    closing('<|START_RESPONSE|>'),
    closing('<|END_RESPONSE|>'),
  ],
  // Mistral's Magistral
  [opening('[THINK]'), closing('[/THINK]')],
  // Seed-OSS
  [opening('<seed:think>'), closing('</seed:think>')],
  // Kimi
  [opening('◁think▷'), closing('◁/think▷')],
  // Granite: beside its thoughts, its response is marked as well.
  [opening('<think>'), closing('</think>'), closing('<response>'), closing('</response>')],
  // Qwen, DeepSeek-R1, SmolLM3, GLM and most others
  [opening('<think>'), closing('</think>')],
];

/**
 * The format that the models of a chat template write in; `null` where they do not think, or the format is not known.
 *
 * @param template source of the chat template
 */
export function findReasoningFormat(template: string | null): ReasoningFormat | null {
  if (template === null) return null;
  const mentions = (text: string): boolean => template.includes(text.trimEnd());
  const isUsed = ([first, ...others]: ReasoningFormat): boolean =>
    first !== undefined && (mentions(first.text) || mentions(others[0]?.text ?? first.text));
  const found = formats.find((format) => isUsed(format) && format.every(isWantedBy(template)));
  return found ?? null;
}

/** Granite's format is told from the common one by the marks of the response. */
const isWantedBy =
  (template: string) =>
  ({text}: Mark): boolean =>
    text !== '<response>' || template.includes(text);

/** Control tokens whose texts are in the marks: they are read as text then, which control tokens otherwise have none of. */
export function tokensOfMarks(
  format: ReasoningFormat,
  tokenizer: Pick<Tokenizer, 'controlTexts' | 'tokenId'>,
): ReadonlySet<number> {
  const inMarks = tokenizer.controlTexts.filter((text) => format.some((mark) => mark.text.includes(text)));
  return new Set(inMarks.map((text) => tokenizer.tokenId(text)).filter((id) => id !== undefined));
}

/**
 * What an answer begins in: the prompt may end with a mark.
 *
 * @param prompt its end, control tokens included
 */
export function partAfter(format: ReasoningFormat, prompt: string): Part {
  const end = prompt.trimEnd();
  return format.find(({text}) => end.endsWith(text.trimEnd()))?.begins ?? 'content';
}
