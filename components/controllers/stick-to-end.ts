import type {ReactiveController, ReactiveControllerHost} from 'lit';

/** How far from its end a scroller still counts as being there, in CSS pixels. */
const tolerance = 24;

/** Keeps a scroller at its end while its content grows, until the reader scrolls away, and again when they come back. */
export class StickToEnd implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #scroller: () => HTMLElement | null;
  readonly #resizes = new ResizeObserver(() => this.follow());
  #observed: HTMLElement | null = null;
  #following = true;

  constructor(host: ReactiveControllerHost, scroller: () => HTMLElement | null) {
    this.#host = host;
    this.#scroller = scroller;
    host.addController(this);
  }

  /** Whether the end is in sight. */
  get following(): boolean {
    return this.#following;
  }

  /** An element that is moved loses its scroll position. */
  hostConnected(): void {
    this.#host.requestUpdate();
  }

  hostUpdated(): void {
    const scroller = this.#scroller();
    if (scroller && scroller !== this.#observed) {
      this.#observed = scroller;
      this.#resizes.observe(scroller);
    }
    this.follow();
  }

  hostDisconnected(): void {
    this.#resizes.disconnect();
    this.#observed = null;
  }

  /** To be called when the scroller has scrolled, by whomever. */
  readonly scrolled = (): void => {
    const scroller = this.#scroller();
    if (!scroller) return;
    const {scrollHeight, scrollTop, clientHeight} = scroller;
    const following = scrollHeight - scrollTop - clientHeight <= tolerance;
    if (following === this.#following) return;
    this.#following = following;
    this.#host.requestUpdate();
  };

  /** To be called when the content has grown outside of an update of the host. */
  follow(): void {
    const scroller = this.#scroller();
    if (this.#following && scroller) scroller.scrollTop = scroller.scrollHeight;
  }

  readonly toEnd = (): void => {
    this.#following = true;
    this.follow();
    this.#host.requestUpdate();
  };
}
