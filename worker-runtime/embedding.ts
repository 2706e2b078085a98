import type {Checkpoint} from './checkpoint.ts';
import type {LoadedModel} from './loaded-model.ts';
import {textStates} from './model/text-states.ts';
import {Pace} from './pace.ts';
import {normaliseRows, Pooler} from './pooling.ts';
import {embedTokens} from './prompt.ts';
import type {EmbedParams} from './protocol.ts';
import type {Sequence} from './sequence.ts';

/** The number under which a context is put aside for a text. */
const besideSequences = -1;

/**
 * The embeddings of texts, one text a step. Each step leaves all contexts as they were, so it needs no sequence of its own
 * and runs beside answers that are being generated.
 */
export class Embedding {
  readonly embeddings: Float32Array<ArrayBuffer>[] = [];
  readonly #model: LoadedModel;
  readonly #sequence: () => Sequence;
  readonly #params: EmbedParams;
  readonly #pace: Pace;
  /** `null` until the first step. */
  #texts: readonly (readonly number[])[] | null = null;
  #tokenCount = 0;

  /** @param sequence the one whose context is in the model's cache then */
  constructor(model: LoadedModel, sequence: () => Sequence, params: EmbedParams) {
    this.#model = model;
    this.#sequence = sequence;
    this.#params = params;
    this.#pace = new Pace(model.decoder.plan.sliceLength, params.sliceLength);
  }

  /** Tokens of the texts that are done. */
  get tokenCount(): number {
    return this.#tokenCount;
  }

  /** Embeds one text, after the first step has seen that none has to be refused; `true` when all are done. */
  async step(checkpoint: Checkpoint): Promise<boolean> {
    this.#texts ??= await this.#tokenize(checkpoint);
    const tokens = this.#texts[this.embeddings.length];
    if (tokens) {
      this.embeddings.push(await this.#embedBesideContext(tokens, checkpoint));
      this.#tokenCount += tokens.length;
    }
    return this.embeddings.length === this.#texts.length;
  }

  async #tokenize(checkpoint: Checkpoint): Promise<readonly (readonly number[])[]> {
    const texts: (readonly number[])[] = [];
    for (const [index, text] of this.#params.texts.entries()) {
      texts.push(embedTokens(text, index, this.#model));
      await checkpoint();
    }
    return texts;
  }

  async #embedBesideContext(
    tokens: readonly number[],
    checkpoint: Checkpoint,
  ): Promise<Float32Array<ArrayBuffer>> {
    const sequence = this.#sequence();
    if (sequence.length === 0) return this.#embed(tokens, checkpoint);
    const {decoder, cache} = this.#model;
    await decoder.keepContext(besideSequences, sequence.stored, cache, checkpoint);
    try {
      return await this.#embed(tokens, checkpoint);
    } finally {
      await decoder.restoreContext(besideSequences, cache);
    }
  }

  async #embed(tokens: readonly number[], checkpoint: Checkpoint): Promise<Float32Array<ArrayBuffer>> {
    const {decoder, cache, facts} = this.#model;
    const {pooling = facts.pooling ?? 'none', normalize = true} = this.#params;
    const {embeddingLength, denseLength} = decoder.spec;
    const isPooled = pooling !== 'none';
    const pooler = new Pooler(pooling, tokens.length, embeddingLength);
    await textStates(decoder, cache, tokens, {
      checkpoint,
      pace: this.#pace,
      dense: !isPooled,
      onState: (state, position) => pooler.add(state, position),
    });
    const pooled = pooler.result();
    const embedding = isPooled && denseLength > 0 ? decoder.applyDenseTo(pooled) : pooled;
    if (normalize) normaliseRows(embedding, embeddingLength);
    return embedding;
  }
}
