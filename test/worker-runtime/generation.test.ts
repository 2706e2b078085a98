import {expect} from '@open-wc/testing';
import {Generation} from '../../worker-runtime/generation.ts';
import type {LoadedModel} from '../../worker-runtime/loaded-model.ts';
import type {Slice} from '../../worker-runtime/model/decoder.ts';
import type {KvCache} from '../../worker-runtime/model/kv-cache.ts';
import type {Checkpoint} from '../../worker-runtime/checkpoint.ts';
import {defaultSampling} from '../../worker-runtime/protocol.ts';
import type {Logits} from '../../worker-runtime/sampling/logits.ts';
import {Cancelled} from '../../worker-runtime/scheduler.ts';
import {Sequence} from '../../worker-runtime/sequence.ts';
import {placeLogits} from '../helpers/core-logits.ts';

const layers = 4;
const vocabularySize = 8;
const cache: KvCache = {format: 0, capacity: 64, layers: [], states: null, text: null, pointer: 0, bytes: 0};
const prompt = Array.from({length: 20}, (_, index) => index % vocabularySize);

/** Token 3 is the best. */
const placed = placeLogits(Float32Array.from({length: vocabularySize}, (_, id) => (id === 3 ? 1 : 0)));

/** A decoder that only notes which positions have passed all layers, and answers token 3 always. */
class FakeDecoder {
  readonly plan = {sliceLength: 8};
  readonly complete: number[] = [];

  async forward({tokens, position}: Slice, checkpoint: Checkpoint): Promise<void> {
    for (let layer = 0; layer < layers; layer++) await checkpoint();
    tokens.forEach((_, index) => (this.complete[position + index] = 1));
  }

  nextLogits(): Promise<Logits> {
    return placed;
  }
}

function start(decoder: FakeDecoder, sequence: Sequence): Generation {
  const tokenizer = {vocabularySize, endOfGeneration: new Set(), tokenBytes: () => Uint8Array.of(0x61)};
  // The parts of a model that a generation touches.
  const model = {decoder, tokenizer} as unknown as LoadedModel;
  const events = {onPrefill: () => undefined, onToken: () => undefined};
  return new Generation(model, sequence, prompt, {}, defaultSampling, events);
}

/** Runs to the `count`-th checkpoint, which cancels. */
async function cancelAt(count: number, generation: Generation): Promise<void> {
  const checkpoint = (): void => {
    if (--count === 0) throw new Cancelled();
  };
  try {
    while (!(await generation.step(checkpoint)));
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    generation.cancel();
  }
}

describe('Generation', () => {
  it('leaves a context of whole tokens, wherever between two layers it is cancelled', async () => {
    for (let count = 1; count <= 60; count++) {
      const decoder = new FakeDecoder();
      const sequence = new Sequence({kind: 'sequence', id: 0, generation: 1}, cache);
      const generation = start(decoder, sequence);
      await cancelAt(count, generation);
      const {tokens, text, finishReason, usage} = generation.result();
      expect(finishReason).to.equal('cancelled');
      expect(text).to.equal('a'.repeat(tokens.length));
      expect(usage.contextUsed).to.equal(sequence.length);
      // What the sequence has is what has passed all layers, token for token.
      expect(decoder.complete.length).to.equal(sequence.length);
      expect(sequence.commonPrefix([...prompt, ...tokens])).to.equal(sequence.length);
      expect(prompt.length + tokens.length - sequence.length).to.be.at.least(tokens.length === 0 ? 0 : 1);
    }
  });

  it('goes on after a cancel from where the context is', async () => {
    const decoder = new FakeDecoder();
    const sequence = new Sequence({kind: 'sequence', id: 0, generation: 1}, cache);
    const cancelled = start(decoder, sequence);
    await cancelAt(layers + 2, cancelled);
    expect(sequence.length).to.equal(8);
    const next = start(decoder, sequence);
    while (!(await next.step(() => undefined)));
    const {usage, finishReason, tokens} = next.result();
    expect(usage.cachedTokens).to.equal(8);
    expect(finishReason).to.equal('context-full');
    expect(tokens).to.have.length(64 - 20 + 1);
  });
});
