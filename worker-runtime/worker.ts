/** The Worker's entry. One script is both: the runtime, and the shards that it starts. */
import {serveRuntime} from './serve-runtime.ts';
import {serveShard} from './shards/serve-shard.ts';
import {shardWorkerName} from './shards/shard-worker.ts';

if (self.name === shardWorkerName) serveShard();
else serveRuntime();
