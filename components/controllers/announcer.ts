import type {SessionEvent, TranscriptMessage} from '../session-types.ts';
import {strings} from '../localize/index.ts';

/** What a screen reader hears of an answer: the whole when it has ended, each sentence when it is complete, or nothing. */
export type Announce = 'message' | 'sentence' | 'off';

/** Up to the end of the last complete sentence: closing mark and space, a full-width mark, or the end of a line. */
const completeSentences = /^[\s\S]*(?:[.!?…]["'”’»)\]]*\s|[。！？]|\n)/;

/**
 * Speaks through a status region. Each announcement is a paragraph of its own, so that a new one does not take the place
 * of one that has not been read out yet.
 */
export class Announcer {
  readonly #region: () => HTMLElement | null;
  readonly #mode: () => Announce;
  /** How much of the answer under way was announced, in UTF-16 units. */
  #spoken = 0;

  constructor(region: () => HTMLElement | null, mode: () => Announce) {
    this.#region = region;
    this.#mode = mode;
  }

  handle(event: SessionEvent): void {
    switch (event.type) {
      case 'status':
        return event.status === 'loading' ? this.#say(strings.loading) : undefined;
      case 'load':
        return this.#say(strings.modelLoaded);
      case 'generate-start':
        this.#spoken = 0;
        return this.#region()?.replaceChildren();
      case 'token':
        return this.#saySentences(event.message);
      case 'generate-end':
        return this.#sayRest(event.message);
      default:
        return undefined;
    }
  }

  #saySentences({content}: TranscriptMessage): void {
    if (this.#mode() !== 'sentence') return;
    const [complete = ''] = completeSentences.exec(content.slice(this.#spoken)) ?? [];
    this.#spoken += complete.length;
    this.#say(complete);
  }

  #sayRest({content, finishReason}: TranscriptMessage): void {
    if (this.#mode() === 'off') return;
    this.#say(content.slice(this.#spoken));
    if (finishReason === 'cancelled') this.#say(strings.stopped);
  }

  #say(text: string): void {
    if (text.trim() === '') return;
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    this.#region()?.append(paragraph);
  }
}
