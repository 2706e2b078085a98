import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import type {Metadata} from '../../../worker-runtime/gguf/metadata.ts';
import {openSource} from '../../../worker-runtime/source/open-source.ts';
import {byteToCharacter} from '../../../worker-runtime/tokenizer/byte-alphabet.ts';
import {createTokenizer} from '../../../worker-runtime/tokenizer/create-tokenizer.ts';
import type {Tokenizer} from '../../../worker-runtime/tokenizer/tokenizer.ts';
import {writeGguf} from '../../helpers/gguf/write-gguf.ts';
import type {MetadataInput} from '../../helpers/gguf/write-gguf.ts';

/** Keys to replace or add; `null` leaves a key out. */
export type Changes = Readonly<Record<string, MetadataInput | null>>;

export const types = {normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6} as const;

export async function metadataOf(keys: Changes): Promise<Metadata> {
  const kept = Object.entries(keys).filter((entry): entry is [string, MetadataInput] => entry[1] !== null);
  const file = writeGguf({metadata: Object.fromEntries(kept)});
  return (await readHeader(await openSource(file, {signal: new AbortController().signal}))).metadata;
}

export async function tokenizerOf(keys: Changes): Promise<Tokenizer> {
  return createTokenizer(await metadataOf(keys));
}

/** A token of a fixture: text, type, score. */
type Piece = readonly [text: string, type: number, score: number];

/**
 * A SentencePiece vocabulary: `<unk>`, `<s>`, `</s>`, then `pieces` (normal, better scores first), then
 * `<|im_end|>` (control) and `<tool>` (user-defined), then the 256 byte tokens.
 */
export function sentencePieceKeys(pieces: readonly string[], changes: Changes = {}): Changes {
  const all: Piece[] = [
    ['<unk>', types.unknown, 0],
    ['<s>', types.control, 0],
    ['</s>', types.control, 0],
    ...pieces.map((text, i): Piece => [text, types.normal, -i]),
    ['<|im_end|>', types.control, 0],
    ['<tool>', types.userDefined, 0],
    ...byteToCharacter.map((_, byte): Piece => [
      `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      types.byte,
      0,
    ]),
  ];
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': all.map(([text]) => text),
    'tokenizer.ggml.token_type': Int32Array.from(all, ([, type]) => type),
    'tokenizer.ggml.scores': Float32Array.from(all, ([, , score]) => score),
    ...changes,
  };
}

/**
 * A byte-level BPE vocabulary: the 256 bytes in the alphabet's order of values (so that the ID of a byte is the byte),
 * the results of `merges`, then `<|endoftext|>` and `<|im_start|>` (control) and `<think>` (user-defined).
 *
 * @param merges each two parts with a space between, in the byte alphabet (a space is `Ġ`)
 */
export function bytePairKeys(pre: string, merges: readonly string[], changes: Changes = {}): Changes {
  const results = merges.map((merge) => merge.replace(' ', ''));
  const plain = [...byteToCharacter, ...results];
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': pre,
    'tokenizer.ggml.tokens': [...plain, '<|endoftext|>', '<|im_start|>', '<think>'],
    'tokenizer.ggml.token_type': Int32Array.of(
      ...plain.map(() => types.normal),
      types.control,
      types.control,
      types.userDefined,
    ),
    'tokenizer.ggml.merges': {type: 'string', value: merges},
    'tokenizer.ggml.bos_token_id': plain.length,
    'tokenizer.ggml.eos_token_id': plain.length,
    ...changes,
  };
}

/** The tokens' texts, for comparisons that can be read. */
export function texts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  return ids.map((id) => tokenizer.tokenText(id));
}
