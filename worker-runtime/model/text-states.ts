import type {Checkpoint} from '../checkpoint.ts';
import {GgufError} from '../errors.ts';
import {Pace} from '../pace.ts';
import type {SequenceHandle} from '../protocol.ts';
import {Sequence} from '../sequence.ts';
import type {Decoder} from './decoder.ts';
import type {KvCache} from './kv-cache.ts';

interface StatesOptions {
  readonly checkpoint: Checkpoint;
  readonly pace?: Pace;
  /** Whether every state passes the dense matrices, not only what is pooled of them. */
  readonly dense?: boolean;
  /** Takes the state of a token, a view (embeddingLength) that is valid until it returns; positions ascend. */
  readonly onState?: (state: Float32Array, position: number) => void;
}

/** Of a sequence that nobody can name. */
const unnamed: SequenceHandle = {kind: 'sequence', id: -1, generation: -1};

/**
 * The states of all tokens of a text behind the last layer. What was in the cache is lost.
 *
 * @throws {GgufError} `logits-not-finite`
 */
export async function textStates(
  decoder: Decoder,
  cache: KvCache,
  tokens: readonly number[],
  options: StatesOptions,
): Promise<void> {
  const {checkpoint, pace = new Pace(decoder.plan.sliceLength)} = options;
  if (decoder.spec.causal) {
    const sequence = new Sequence(unnamed, cache);
    for (let first = 0; first < tokens.length; first = sequence.length) {
      const slice = tokens.slice(first, first + pace.sliceLength);
      await pace.measure(slice.length, checkpoint, (check) => sequence.feed(slice, decoder, check));
      giveStates(decoder, null, first, slice.length, options);
    }
    return;
  }
  await decoder.encode(tokens, cache, pace, checkpoint);
  const {sliceLength} = decoder.plan;
  for (let first = 0; first < tokens.length; first += sliceLength) {
    giveStates(decoder, cache, first, Math.min(sliceLength, tokens.length - first), options);
    await checkpoint();
  }
}

/** @param encoded the cache of an encoder, which has the whole text; a decoder has a slice, whose first token is `first` */
function giveStates(
  decoder: Decoder,
  encoded: KvCache | null,
  first: number,
  count: number,
  {dense = false, onState}: StatesOptions,
): void {
  const states = encoded ? decoder.states(first, count, encoded) : decoder.states(0, count);
  const {pointer, columns, stride} = dense ? decoder.applyDense(states, count) : states;
  for (let row = 0; row < count; row++) {
    const state = decoder.core.f32(pointer + row * stride, columns);
    if (!state.every(Number.isFinite)) {
      throw new GgufError(
        'logits-not-finite',
        'The model gave embeddings that are not finite; the file may be damaged',
      );
    }
    onState?.(state, first + row);
  }
}
