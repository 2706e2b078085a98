import type {ReactiveController, ReactiveControllerHost} from 'lit';

/** When a named model is loaded: when someone asks for it, when the element comes into sight, or at once. */
export type Loading = 'interaction' | 'visible' | 'eager';

export interface LoadTriggerOptions {
  readonly loading: () => Loading;
  /** Whether there is something to load that nobody has begun to load. */
  readonly isWaiting: () => boolean;
  readonly load: () => void;
}

/** Loads the model by itself where the `loading` attribute says so. */
export class LoadTrigger implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element;
  readonly #options: LoadTriggerOptions;
  readonly #sight = new IntersectionObserver((entries) => {
    if (entries.some(({isIntersecting}) => isIntersecting)) this.#fire();
  });

  constructor(host: ReactiveControllerHost & Element, options: LoadTriggerOptions) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostUpdated(): void {
    const {loading, isWaiting} = this.#options;
    if (!isWaiting() || loading() === 'interaction') this.#sight.disconnect();
    else if (loading() === 'eager') this.#fire();
    else this.#sight.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#sight.disconnect();
  }

  #fire(): void {
    this.#sight.disconnect();
    if (this.#options.isWaiting()) this.#options.load();
  }
}
