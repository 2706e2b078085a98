import type {ReactiveController, ReactiveControllerHost} from 'lit';

/** True once something has gone on for `delay` milliseconds: what is over sooner needs no indicator. */
export class DelayedFlag implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #isActive: () => boolean;
  readonly #delay: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #raised = false;

  constructor(host: ReactiveControllerHost, isActive: () => boolean, delay = 500) {
    this.#host = host;
    this.#isActive = isActive;
    this.#delay = delay;
    host.addController(this);
  }

  get raised(): boolean {
    return this.#raised;
  }

  hostUpdate(): void {
    if (!this.#isActive()) this.#lower();
    else this.#timer ??= setTimeout(() => this.#raise(), this.#delay);
  }

  hostDisconnected(): void {
    this.#lower();
  }

  #raise(): void {
    this.#raised = true;
    this.#host.requestUpdate();
  }

  #lower(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#raised = false;
  }
}
