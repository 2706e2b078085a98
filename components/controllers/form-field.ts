import type {ReactiveController, ReactiveControllerHost} from 'lit';
import {strings} from '../localize/index.ts';
import type {Transcript} from '../transcript.ts';

type Host = ReactiveControllerHost & HTMLElement & {readonly required: boolean};

/** Where the field gets what it tells the form. */
export interface FormFieldSource {
  readonly messages: () => Transcript;
  /** An answer is being written: the value stays what it was until its end. */
  readonly writing: () => boolean;
  /** Where the browser points when the field is not valid. */
  readonly anchor: () => HTMLElement | null;
}

/**
 * The chat as a field of a form: its value is the transcript as JSON, the browser keeps it as the field's state, and with
 * `required` an empty conversation is not valid.
 */
export class FormField implements ReactiveController {
  readonly #host: Host;
  readonly #internals: ElementInternals;
  readonly #source: FormFieldSource;
  #told: Transcript | null = null;

  constructor(host: Host, internals: ElementInternals, source: FormFieldSource) {
    this.#host = host;
    this.#internals = internals;
    this.#source = source;
    host.addController(this);
  }

  /** By itself or by a `<fieldset disabled>` around it. */
  get disabled(): boolean {
    return this.#host.matches(':disabled');
  }

  hostUpdated(): void {
    this.#tellValue();
    this.#tellValidity();
  }

  /** What the browser kept for this field, as a transcript. @throws {SyntaxError} where it is no JSON */
  restored(state: string | File | FormData | null): unknown[] {
    const kept: unknown = typeof state === 'string' ? JSON.parse(state) : [];
    return Array.isArray(kept) ? kept : [];
  }

  #tellValue(): void {
    const messages = this.#source.messages();
    if (messages === this.#told || this.#source.writing()) return;
    this.#told = messages;
    this.#internals.setFormValue(JSON.stringify(messages));
  }

  #tellValidity(): void {
    const missing = this.#host.required && this.#source.messages().length === 0;
    const anchor = this.#source.anchor();
    if (missing && anchor) this.#internals.setValidity({valueMissing: true}, strings.required, anchor);
    else this.#internals.setValidity({});
  }
}
