import type {Core} from '../core/core.ts';
import type {RunExchange} from './exchange.ts';
import {PortExchange} from './port-exchange.ts';
import type {Transport} from './shard-messages.ts';
import {SharedExchange} from './shared-exchange.ts';
import type {Share} from './share.ts';

export type TransportKind = Transport['kind'];

/** Shared memory where the page is isolated. */
export function bestTransport(): TransportKind {
  return globalThis.crossOriginIsolated ? 'shared' : 'ports';
}

/** What each of `count` shards gets. */
export function createTransports(kind: TransportKind, count: number): Transport[] {
  if (kind === 'ports') return mesh(count).map((ports) => ({kind, ports}));
  const memory = SharedExchange.allocate(count);
  return Array.from({length: count}, () => ({kind, memory}));
}

/** @param yieldToMessages of the first shard */
export function createExchange(
  transport: Transport,
  core: Core,
  {index, count}: Share,
  yieldToMessages: (() => Promise<void>) | null,
): RunExchange {
  if (transport.kind === 'ports') return new PortExchange(core, transport.ports);
  return new SharedExchange(core, transport.memory, index, count, yieldToMessages);
}

/** What has to be transferred with a transport. */
export function transferablesOf(transport: Transport): Transferable[] {
  return transport.kind === 'ports' ? transport.ports.filter((port) => port !== null) : [];
}

/** For each of `count` shards its ports to the others, `null` in its own place. */
function mesh(count: number): (MessagePort | null)[][] {
  const ports = Array.from({length: count}, () => new Array<MessagePort | null>(count).fill(null));
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const {port1, port2} = new MessageChannel();
      (ports[a] ?? [])[b] = port1;
      (ports[b] ?? [])[a] = port2;
    }
  }
  return ports;
}
