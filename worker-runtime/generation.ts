import {AnswerText} from './answer-text.ts';
import type {AnswerPiece} from './answer-text.ts';
import type {LoadedModel} from './loaded-model.ts';
import {Prefill} from './prefill.ts';
import type {FinishReason, GenerateParams, GenerateResult, SamplingSettings, TokenEvent} from './protocol.ts';
import {logProbabilities} from './sampling/log-probabilities.ts';
import {Sampler} from './sampling/sampler.ts';
import type {Checkpoint} from './checkpoint.ts';
import type {Sequence} from './sequence.ts';

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
  readonly #answer: AnswerText;
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
  /** When the first of what the model says came behind what it thought. */
  #firstSaid: number | null = null;
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
    this.#answer = new AnswerText({
      tokenizer: model.tokenizer,
      stop: params.stop ?? [],
      conversation: params.messages ? {template: model.chatTemplate.source, prompt} : null,
    });
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
      text: this.#answer.text,
      reasoning: this.#answer.reasoning,
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
        reasoningMs: this.#reasoningMs,
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
      const {text, reasoning} = this.#finish('stop');
      if (text + reasoning !== '') this.#report({id, text, index: this.#tokens.length}, reasoning);
      return;
    }
    this.#lastToken = performance.now();
    this.#firstToken ??= this.#lastToken;
    this.#tokens.push(id);
    this.#history.push(id);
    const piece = this.#answer.push(id);
    if (piece.text !== '' && this.#answer.reasoning !== null) this.#firstSaid ??= this.#lastToken;
    const rest = piece.stopped ? noPiece : this.#finishIfFull();
    if (piece.stopped) this.#finishReason = 'stop';
    const text = piece.text + rest.text;
    const event = {id, text, index: this.#tokens.length - 1, ...probabilities};
    this.#report(event, piece.reasoning + rest.reasoning);
  }

  /** Ends the answer where there may be no more tokens, or is no room for them. */
  #finishIfFull(): AnswerPiece {
    if (this.#tokens.length === this.#params.maxTokens) return this.#finish('length');
    if (this.#sequence.length === this.#sequence.cache.capacity) return this.#finish('context-full');
    return noPiece;
  }

  #finish(reason: FinishReason): AnswerPiece {
    this.#finishReason = reason;
    return this.#answer.finish(reason === 'stop');
  }

  #report(event: TokenEvent, reasoning: string): void {
    this.#events.onToken(reasoning === '' ? event : {...event, reasoning});
  }

  get #reasoningMs(): number | null {
    const [first, last] = [this.#firstToken, this.#firstSaid ?? this.#lastToken];
    return this.#answer.reasoning === null || first === null || last === null ? null : last - first;
  }
}

const noPiece: AnswerPiece = {text: '', reasoning: '', stopped: false};
