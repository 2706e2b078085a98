import type {ReactiveController, ReactiveControllerHost} from 'lit';
import type {StoredModel} from '../../worker-runtime/client/index.ts';
import type {ChatRuntime} from '../session-types.ts';

/** The models on the device, as far as somebody asked for them. */
export class ModelLibrary implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #runtime: () => ChatRuntime | null;
  models: readonly StoredModel[] = [];

  /** @param runtime the one that is there now, if any */
  constructor(host: ReactiveControllerHost, runtime: () => ChatRuntime | null) {
    this.#host = host;
    this.#runtime = runtime;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.models = [];
  }

  async refresh(): Promise<void> {
    const models = await this.#runtime()?.store.list();
    if (!models) return;
    this.models = models;
    this.#host.requestUpdate();
  }

  /** @throws {GgufError} `storage-busy` where it is in use */
  async remove(id: string): Promise<void> {
    await this.#runtime()?.store.remove(id);
    await this.refresh();
  }
}
