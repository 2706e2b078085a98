import type {StoreEstimate, StoredModel} from '../protocol.ts';
import type {Connection} from './connection.ts';

/** The models that this site keeps on the device. All tabs and all runtimes share it. */
export interface StoredModels {
  /** Those used last first; none where the browser has no store here, as in private windows. */
  list(): Promise<readonly StoredModel[]>;

  /**
   * Removes a model, or what was downloaded of one.
   *
   * @param name its ID or its URL
   * @throws {GgufError} `storage-busy` where it is in use, in this tab or another one
   */
  remove(name: string): Promise<{readonly freedBytes: number}>;

  estimate(): Promise<StoreEstimate>;

  /**
   * Asks the browser not to clear this site's storage when space is short. Some browsers ask the user: call it when the
   * user has just asked for something.
   *
   * @returns whether it promised
   */
  persist(): Promise<boolean>;
}

export function storedModels(connection: Connection): StoredModels {
  return {
    list: async () => (await connection.request('list-stored', {}).result).models,
    remove: (name) => connection.request('remove-stored', {name}).result,
    estimate: () => connection.request('estimate-store', {}).result,
    persist: async () => (navigator.storage?.persist ? navigator.storage.persist() : false),
  };
}
