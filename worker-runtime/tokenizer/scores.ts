import type {Metadata} from '../gguf/metadata.ts';
import {invalidVocabulary} from './vocabulary.ts';

const key = 'tokenizer.ggml.scores';

/** @returns (size) @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` */
export function readScores(metadata: Metadata, size: number): ArrayLike<number> {
  const scores = metadata.numbers(key);
  if (!scores) throw invalidVocabulary(key, 'is missing; this kind of tokenizer needs it');
  if (scores.length !== size) throw invalidVocabulary(key, `has ${scores.length} entries for ${size} tokens`);
  for (let id = 0; id < size; id++) {
    if (Number.isNaN(scores[id])) throw invalidVocabulary(key, `holds NaN for token ${id}`);
  }
  return scores;
}
