import {GgufError} from './errors.ts';
import type {LoadedModel} from './loaded-model.ts';
import {logitRows} from './model/decoder-plan.ts';
import type {Checkpoint} from './checkpoint.ts';
import {Prefill} from './prefill.ts';
import type {Sequence} from './sequence.ts';

/** Logits after every token of a text, from an empty context. */
export class Evaluation {
  readonly #model: LoadedModel;
  readonly #prefill: Prefill;
  /** (tokens, vocab) */
  readonly logits: Float32Array<ArrayBuffer>;
  readonly vocab: number;

  constructor(model: LoadedModel, sequence: Sequence, tokens: readonly number[], sliceLength?: number) {
    this.#model = model;
    this.vocab = model.tokenizer.vocabularySize;
    this.logits = allocateLogits(tokens.length * this.vocab);
    sequence.rewind(0);
    this.#prefill = new Prefill(model.decoder, sequence, tokens, sliceLength);
  }

  /** Evaluates one slice; `true` when all are done. */
  async step(checkpoint: Checkpoint): Promise<boolean> {
    const length = await this.#prefill.step(checkpoint);
    const first = this.#prefill.done - length;
    for (let index = 0; index < length; index += logitRows) {
      const count = Math.min(logitRows, length - index);
      const {pointer, stride} = await this.#model.decoder.logits(index, count);
      for (let row = 0; row < count; row++) {
        const values = this.#model.core.f32(pointer + row * stride, this.vocab);
        this.logits.set(values, (first + index + row) * this.vocab);
      }
      await checkpoint();
    }
    return this.#prefill.finished;
  }
}

/** @throws {GgufError} `memory-refused`: a long text over a large vocabulary takes gigabytes */
function allocateLogits(count: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(count);
  } catch (cause) {
    const mebibytes = Math.ceil((count * 4) / 2 ** 20);
    throw new GgufError('memory-refused', `The browser refused ${mebibytes} MiB for the logits`, {cause});
  }
}
