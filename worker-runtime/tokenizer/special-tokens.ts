import type {Metadata} from '../gguf/metadata.ts';
import type {Vocabulary} from './vocabulary.ts';
import {invalidVocabulary} from './vocabulary.ts';

/** The tokens with a role, `null` where there is none. */
export interface SpecialTokens {
  readonly bos: number | null;
  readonly eos: number | null;
  /** End of a turn. */
  readonly eot: number | null;
  /** End of a message that waits for a tool's result. */
  readonly eom: number | null;
  readonly unknown: number | null;
  /** Ends a text of an encoder. */
  readonly sep: number | null;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly addSep: boolean;
}

/** What holds for a kind of tokenizer where the file does not say. */
export interface SpecialTokenDefaults {
  readonly bos: number | null;
  readonly eos: number | null;
  readonly unknown: number | null;
  readonly sep?: number;
  readonly addBos: boolean;
  readonly addEos?: boolean;
  readonly addSep?: boolean;
}

/** Writers put -1 as an unsigned number where a model has no such token. */
const none = 0xffff_ffff;

/** @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key */
export function readSpecialTokens(
  metadata: Metadata,
  vocabulary: Vocabulary,
  defaults: SpecialTokenDefaults,
): SpecialTokens {
  const token = (role: string, fallback: number | null = null): number | null => {
    const key = `tokenizer.ggml.${role}_token_id`;
    if (!metadata.has(key)) return fallback !== null && vocabulary.has(fallback) ? fallback : null;
    const id = metadata.integer(key);
    if (id === -1 || id === none) return null;
    if (vocabulary.has(id)) return id;
    throw invalidVocabulary(key, `is ${id}; the vocabulary has ${vocabulary.size} tokens`);
  };
  const adds = (role: 'bos' | 'eos' | 'sep', id: number | null, fallback: boolean): boolean => {
    const key = `tokenizer.ggml.add_${role}_token`;
    if (!metadata.has(key)) return fallback && id !== null;
    const asked = metadata.boolean(key);
    if (asked && id === null)
      throw invalidVocabulary(key, `is set, but the file names no ${role.toUpperCase()} token`);
    return asked;
  };
  const bos = token('bos', defaults.bos);
  const eos = token('eos', defaults.eos);
  // The writers' spelling.
  const sep = token('seperator', defaults.sep ?? null);
  return {
    bos,
    eos,
    sep,
    eot: token('eot'),
    eom: token('eom'),
    unknown: token('unknown', defaults.unknown),
    addBos: adds('bos', bos, defaults.addBos),
    addEos: adds('eos', eos, defaults.addEos ?? false),
    addSep: adds('sep', sep, defaults.addSep ?? false),
  };
}
