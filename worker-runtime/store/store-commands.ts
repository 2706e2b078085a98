import {GgufError} from '../errors.ts';
import type {Commands} from '../protocol.ts';
import {ModelStore} from './model-store.ts';

/** The commands about the models on the device. Where there is no store it is empty. */
export async function listStored(): Promise<Commands['list-stored']['result']> {
  const store = await ModelStore.open();
  return {models: (await store?.list()) ?? [], available: store !== null};
}

/** @throws {GgufError} `storage-busy` */
export async function removeStored({
  name,
}: Commands['remove-stored']['params']): Promise<Commands['remove-stored']['result']> {
  if (typeof name !== 'string') {
    throw new GgufError('invalid-setting', 'name must be the ID or the URL of a stored model', {
      field: 'name',
    });
  }
  const store = await ModelStore.open();
  return store ? store.remove(name) : {freedBytes: 0};
}

export async function estimateStore(): Promise<Commands['estimate-store']['result']> {
  const store = await ModelStore.open();
  return store ? store.estimate() : {modelBytes: 0, usedBytes: 0, quotaBytes: 0, persisted: false};
}
