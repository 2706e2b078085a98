/** The name of a shard's Worker, by which its script knows what it is. */
export const shardWorkerName = 'gguf-chat shard';

/**
 * Starts another Worker of the script that this one runs.
 *
 * @throws where the page forbids it
 */
export function spawnShardWorker(): Worker {
  return new Worker(self.location.href, {type: 'module', name: shardWorkerName});
}
