import type {LoadedModel} from './loaded-model.ts';
import {Prefill} from './prefill.ts';
import type {FinishReason, GenerateParams, GenerateResult, SamplingSettings, TokenEvent} from './protocol.ts';
import {logProbabilities} from './sampling/log-probabilities.ts';
import {Sampler} from './sampling/sampler.ts';
import {StopMatcher} from './sampling/stop-matcher.ts';
import type {Checkpoint} from './checkpoint.ts';
import type {Sequence} from './sequence.ts';
import {Utf8Stream} from './tokenizer/utf8-stream.ts';

export interface GenerationEvents {
  readonly onPrefill: (progress: {done: number; total: number; cached: number}) => void;
  readonly onToken: (token: TokenEvent) => void;
}

/**
 * One answer: a prefill and then one token a step. Each step leaves the sequence consistent, so the run can end after
 * any of them and the next one continues from what is there.
 */
export class Generation {
  readonly #model: LoadedModel;
  readonly #sequence: Sequence;
  readonly #params: GenerateParams;
  readonly #events: GenerationEvents;
  readonly #sampler: Sampler;
  readonly #utf8 = new Utf8Stream();
  readonly #stops: StopMatcher;
  readonly #promptTokens: number;
  readonly #cached: number;
  readonly #prefill: Prefill;
  /** Prompt and answer: what the repeat penalty looks back on. */
  readonly #history: number[];
  readonly #tokens: number[] = [];
  readonly #started = performance.now();
  #prefillEnded: number | null = null;
  #firstToken: number | null = null;
  #lastToken: number | null = null;
  #text = '';
  #finishReason: FinishReason | null = null;

  /** @param prompt at least one token, at most as many as the context has positions */
  constructor(
    model: LoadedModel,
    sequence: Sequence,
    prompt: readonly number[],
    params: GenerateParams,
    sampling: SamplingSettings,
    events: GenerationEvents,
  ) {
    this.#model = model;
    this.#sequence = sequence;
    this.#params = params;
    this.#events = events;
    this.#sampler = new Sampler(sampling, model.tokenizer.vocabularySize);
    this.#stops = new StopMatcher(params.stop ?? []);
    this.#promptTokens = prompt.length;
    // The last token is fed again even if it is there: its logits are wanted.
    this.#cached = sequence.rewind(Math.min(sequence.commonPrefix(prompt), prompt.length - 1));
    this.#prefill = new Prefill(model.decoder, sequence, prompt.slice(this.#cached));
    this.#history = [...prompt];
  }

  /** Advances by one slice of prefill or one token; `true` when the answer has ended. */
  async step(checkpoint: Checkpoint): Promise<boolean> {
    if (!this.#prefill.finished) {
      const length = await this.#prefill.step(checkpoint);
      const done = this.#cached + this.#prefill.done;
      this.#events.onPrefill({done, total: this.#promptTokens, cached: this.#cached});
      if (!this.#prefill.finished) return false;
      this.#prefillEnded = performance.now();
      await this.#choose(length - 1);
    } else {
      await this.#sequence.feed(this.#tokens.slice(-1), this.#model.decoder, checkpoint);
      await this.#choose(0);
    }
    return this.#finishReason !== null;
  }

  /** The answer so far, as a cancelled one: nothing that was generated is lost. */
  cancel(): void {
    this.#finish('cancelled');
  }

  /** @throws before the run has ended */
  result(): GenerateResult {
    const finishReason = this.#finishReason;
    if (finishReason === null) throw new Error('the run has not ended');
    const now = performance.now();
    const since = (time: number | null): number | null => (time === null ? null : time - this.#started);
    const first = this.#firstToken ?? now;
    return {
      text: this.#text,
      tokens: this.#tokens,
      finishReason,
      usage: {
        promptTokens: this.#promptTokens,
        cachedTokens: this.#cached,
        completionTokens: this.#tokens.length,
        contextUsed: this.#sequence.length,
        contextLength: this.#sequence.cache.capacity,
      },
      timings: {
        prefillMs: since(this.#prefillEnded) ?? now - this.#started,
        firstTokenMs: since(this.#firstToken),
        decodeMs: (this.#lastToken ?? first) - first,
        totalMs: now - this.#started,
      },
    };
  }

  /** Samples the next token from the logits after token `index` of the slice, and decides whether it is the last. */
  async #choose(index: number): Promise<void> {
    const logits = await this.#model.decoder.nextLogits(index);
    const id = this.#sampler.sample(logits, this.#history);
    const probabilities =
      this.#params.topLogprobs === undefined ? {} : logProbabilities(logits, id, this.#params.topLogprobs);
    const ends = this.#model.tokenizer.endOfGeneration.has(id) && this.#params.ignoreEndOfGeneration !== true;
    if (ends) {
      const before = this.#text.length;
      this.#finish('stop');
      const text = this.#text.slice(before);
      if (text !== '') this.#events.onToken({id, text, index: this.#tokens.length});
      return;
    }
    this.#lastToken = performance.now();
    this.#firstToken ??= this.#lastToken;
    this.#tokens.push(id);
    this.#history.push(id);
    const matched = this.#stops.push(this.#utf8.push(this.#model.tokenizer.tokenBytes(id)));
    this.#text += matched.text;
    const before = this.#text.length;
    if (matched.stopped) this.#finishReason = 'stop';
    else if (this.#tokens.length === this.#params.maxTokens) this.#finish('length');
    else if (this.#sequence.length === this.#sequence.cache.capacity) this.#finish('context-full');
    const text = matched.text + this.#text.slice(before);
    this.#events.onToken({id, text, index: this.#tokens.length - 1, ...probabilities});
  }

  /**
   * Ends the answer. Text that was held back as a possible stop string is part of it; a character is left out where the
   * answer was ended before its last byte, and replaced (U+FFFD) where the model itself ended there.
   */
  #finish(reason: FinishReason): void {
    const matched = this.#stops.push(reason === 'stop' ? this.#utf8.flush() : '');
    this.#text += matched.text;
    if (!matched.stopped) this.#text += this.#stops.flush();
    this.#finishReason = reason;
  }
}
