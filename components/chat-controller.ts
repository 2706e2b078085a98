import type {ReactiveController, ReactiveControllerHost} from 'lit';
import {ChatSession} from './chat-session.ts';
import type {BootRuntime} from './lazy-runtime.ts';
import type {SessionEvent} from './session-types.ts';

export {ChatSession} from './chat-session.ts';
export type {ChatSessionOptions} from './chat-session.ts';
export type {BootRuntime} from './lazy-runtime.ts';
export type {SlotLoadOptions} from './model-slot.ts';
export type * from './session-types.ts';

export interface ChatControllerOptions {
  /** Starts the runtime when a model is first loaded; by default `GgufRuntime.boot`. */
  readonly boot?: BootRuntime;
  /** Told of everything, in order. The host is updated without it. */
  readonly onEvent?: (event: SessionEvent) => void;
  /** Called in place of an update of the host, at most once per frame, while an answer grows. */
  readonly onStream?: () => void;
  /** Milliseconds between the removal of the host and the end of its Worker. */
  readonly disposalDelay?: number;
}

/**
 * A {@link ChatSession} for a Lit host: updates it when the session changes, and as often as the screen is drawn while
 * tokens arrive. A host that is moved to another place keeps its model and its answer under way; one that stays away
 * gives its memory back.
 */
export class ChatController implements ReactiveController {
  readonly session: ChatSession;
  readonly #host: ReactiveControllerHost;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #onStream: () => void;
  readonly #disposalDelay: number;
  #disposal: ReturnType<typeof setTimeout> | undefined;
  #streamScheduled = false;

  constructor(host: ReactiveControllerHost, options: ChatControllerOptions = {}) {
    const {boot, onEvent, onStream, disposalDelay = 5000} = options;
    this.#host = host;
    this.#onEvent = onEvent ?? ((): void => undefined);
    this.#onStream = onStream ?? ((): void => host.requestUpdate());
    this.#disposalDelay = disposalDelay;
    this.session = new ChatSession({
      onEvent: (event) => this.#onSessionEvent(event),
      ...(boot === undefined ? {} : {boot}),
    });
    host.addController(this);
  }

  hostConnected(): void {
    clearTimeout(this.#disposal);
  }

  hostDisconnected(): void {
    this.#disposal = setTimeout(() => this.session.dispose(), this.#disposalDelay);
  }

  #onSessionEvent(event: SessionEvent): void {
    if (event.type === 'change') this.#host.requestUpdate();
    else if (event.type === 'token') this.#scheduleStream();
    this.#onEvent(event);
  }

  #scheduleStream(): void {
    if (this.#streamScheduled) return;
    this.#streamScheduled = true;
    nextFrame(() => {
      this.#streamScheduled = false;
      this.#onStream();
    });
  }
}

/** Calls `callback` before the next frame is drawn; in a hidden page, which draws none, a few times a second. */
function nextFrame(callback: () => void): void {
  if (document.hidden) setTimeout(callback, 250);
  else requestAnimationFrame(callback);
}
