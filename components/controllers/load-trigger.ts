import type {ReactiveController, ReactiveControllerHost} from 'lit';
import type {ChatSession} from '../chat-session.ts';

/** When a named model is loaded: when someone asks for it, when the element comes into sight, or at once. */
export type Loading = 'interaction' | 'visible' | 'eager';

export interface LoadTriggerHost extends ReactiveControllerHost, Element {
  readonly src: string;
  readonly loading: Loading;
}

export interface LoadTriggerActions {
  readonly load: () => void;
  readonly unload: () => void;
}

/** Tells the session what `src` names, and loads it by itself where `loading` says so. */
export class LoadTrigger implements ReactiveController {
  readonly #host: LoadTriggerHost;
  readonly #session: ChatSession;
  readonly #actions: LoadTriggerActions;
  readonly #sight = new IntersectionObserver((entries) => {
    if (entries.some(({isIntersecting}) => isIntersecting)) this.#fire();
  });
  /** The `src` that the session was told last, and whether nobody has begun to load it yet. */
  #known = '';
  #waiting = false;
  /** Whether a model was ever asked for here: another `src` is then loaded without asking again. */
  #asked = false;

  constructor(host: LoadTriggerHost, session: ChatSession, actions: LoadTriggerActions) {
    this.#host = host;
    this.#session = session;
    this.#actions = actions;
    host.addController(this);
  }

  /** To be called before a load, whoever began it. */
  loadBegins(): void {
    this.noteSource();
    this.#waiting = false;
    this.#asked = true;
  }

  /** Reads `src` now, in place of before the next update. */
  noteSource(): void {
    const {src} = this.#host;
    if (src === this.#known) return;
    this.#known = src;
    this.#waiting = src !== '';
    const url = URL.canParse(src, document.baseURI) ? new URL(src, document.baseURI).href : src;
    this.#session.source = src === '' ? null : url;
    if (src === '') this.#actions.unload();
  }

  hostConnected(): void {
    // Back on a page, perhaps after the model was given up: then it is loaded as it was before.
    const {status, runtime} = this.#session;
    this.#waiting ||= this.#known !== '' && status === 'idle' && runtime === null;
  }

  hostUpdate(): void {
    this.noteSource();
  }

  hostUpdated(): void {
    const loading = this.#asked ? 'eager' : this.#host.loading;
    if (!this.#waiting || loading === 'interaction') this.#sight.disconnect();
    else if (loading === 'eager') this.#fire();
    else this.#sight.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#sight.disconnect();
  }

  #fire(): void {
    this.#sight.disconnect();
    if (!this.#waiting) return;
    this.#waiting = false;
    // Not in the middle of an update, which the load would ask for again.
    queueMicrotask(this.#actions.load);
  }
}
