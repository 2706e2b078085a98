import {GgufError} from '../errors.ts';
import {holdLifeline} from './lifeline.ts';
import {Shard} from './shard.ts';
import type {FromShard, ToShard} from './shard-messages.ts';

/** Answers the runtime Worker as one of its shards. */
export function serveShard(): void {
  let shard: Shard | null = null;
  /** Messages are answered one after the other, but for a cancel, which ends what is being done. */
  let last = Promise.resolve();
  let epoch = 0;

  const required = (): Shard => {
    if (shard) return shard;
    throw new RangeError('the shard has to be set up first');
  };

  async function answer(message: Exclude<ToShard, {kind: 'cancel' | 'ask-statistics'}>): Promise<void> {
    switch (message.kind) {
      case 'set-up':
        if (message.setup.lifeline !== null) await holdLifeline(message.setup.lifeline);
        shard = await Shard.setUp(message.setup);
        post({kind: 'ready', wasmBytes: shard.wasmBytes});
        break;
      case 'rows':
        required().storeRows(message.rows);
        post({kind: 'stored', bytes: message.rows.bytes.length});
        break;
      case 'vector':
        required().storeVector(message.tensor, message.bytes);
        break;
      case 'start':
        required().start();
        post({kind: 'ready', wasmBytes: required().wasmBytes});
        break;
      case 'task':
        epoch = message.epoch;
        await required().run(message, epoch === cancelled);
    }
  }

  let cancelled = 0;
  self.addEventListener('message', ({data}: MessageEvent<ToShard>) => {
    if (data.kind === 'cancel') {
      cancelled = data.epoch;
      if (epoch === data.epoch) shard?.cancel();
      return;
    }
    if (data.kind === 'ask-statistics') {
      post({kind: 'statistics', statistics: required().statistics});
      return;
    }
    last = last.then(() =>
      answer(data).catch((error: unknown) => post({kind: 'failed', error: GgufError.from(error).toData()})),
    );
  });
}

function post(message: FromShard): void {
  self.postMessage(message);
}
