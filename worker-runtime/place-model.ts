import type {CompiledCore} from './core/core.ts';
import {Core} from './core/core.ts';
import {GgufError} from './errors.ts';
import type {TensorInfo} from './gguf/header.ts';
import type {DecoderSpec} from './model/decoder-spec.ts';
import {planLayout} from './model/layout.ts';
import type {Layout, LayoutSettings} from './model/layout.ts';
import type {MemoryPlan} from './protocol.ts';
import type {Scheduler} from './scheduler.ts';
import {candidateCounts, fastestCount} from './shards/shard-count.ts';
import {ShardGroup} from './shards/shard-group.ts';
import {ShardTeam} from './shards/shard-team.ts';
import {Share} from './shards/share.ts';

export interface PlacingContext {
  readonly core: CompiledCore;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
  /** How many shards the model is divided over; `auto`: as many as make it fastest. */
  readonly shards: number | 'auto';
  /** Starts a Worker that serves a shard. */
  readonly spawnShard: () => Worker;
}

/** What is placed, as far as the header tells. */
interface ModelShape {
  readonly spec: DecoderSpec;
  readonly settings: LayoutSettings;
}

/** A model's memory, before its weights are there. */
export interface PlacedModel {
  /** Of each shard. */
  readonly layouts: Layouts;
  readonly core: Core;
  /** The other shards, if any. */
  readonly team: ShardTeam | null;
  readonly group: ShardGroup;
  /** What was wanted and not available. */
  readonly fallbacks: readonly string[];
}

type Layouts = readonly [Layout, ...Layout[]];
type Tensors = ReadonlyMap<string, TensorInfo>;

/**
 * Gives a model its memory, over as many shards as are wanted and can be started: where the page forbids further Workers,
 * one has all of it.
 *
 * @throws {GgufError} where the file does not have the tensors that it should; `memory-plan`, `memory-refused`
 */
export async function placeModel(
  {tensors}: {readonly tensors: Tensors},
  shape: ModelShape,
  context: PlacingContext,
): Promise<PlacedModel> {
  const layouts = (count: number): Layouts => layoutsOf(count, tensors, shape, context);
  const counts = typeof context.shards === 'number' ? [context.shards] : candidateCounts(layouts);
  const largest = Math.max(...counts);
  if (largest === 1) return placeOver(layouts(1), tensors, shape, context);
  try {
    const placed = await placeOver(layouts(largest), tensors, shape, context);
    const best = await fastestCount(counts, placed, layouts);
    if (best === largest) return placed;
    placed.team?.terminate();
    return await placeOver(layouts(best), tensors, shape, context);
  } catch (error) {
    if (!(error instanceof GgufError && error.name === 'shard-failed') || context.signal.aborted) throw error;
    const placed = await placeOver(layouts(1), tensors, shape, context);
    return {...placed, fallbacks: [`${largest} shards: ${error.message}`]};
  }
}

async function placeOver(
  layouts: Layouts,
  tensors: Tensors,
  shape: ModelShape,
  {core: compiled, scheduler, spawnShard, signal}: PlacingContext,
): Promise<PlacedModel> {
  const core = await Core.instantiate(compiled, layouts[0].plan.total);
  if (layouts.length === 1) return {layouts, core, team: null, group: ShardGroup.single(), fallbacks: []};
  const team = await ShardTeam.start({
    ...shape,
    compiled,
    core,
    tensors,
    layouts,
    signal,
    spawn: spawnShard,
    yieldToMessages: () => scheduler.yield(),
  });
  return {layouts, core, team, group: team.group, fallbacks: []};
}

function layoutsOf(
  count: number,
  tensors: Tensors,
  {spec, settings}: ModelShape,
  {core: {calculator}}: PlacingContext,
): Layouts {
  const layout = (shard: number): Layout =>
    planLayout(spec, {tensors}, settings, new Share(shard, count), calculator);
  return [layout(0), ...Array.from({length: count - 1}, (_, index) => layout(index + 1))];
}

/** Bytes of the WebAssembly memories of all shards. */
export function wasmBytes({core, team}: Pick<PlacedModel, 'core' | 'team'>): number {
  return core.bytes + (team?.wasmBytes ?? 0);
}

/** Bytes of all shards. */
export function combinedPlan(layouts: readonly Layout[]): MemoryPlan {
  const sum = (value: (plan: MemoryPlan) => number): number =>
    layouts.reduce((total, {plan}) => total + value(plan), 0);
  const types = new Set(layouts.flatMap(({plan}) => Object.keys(plan.weights)));
  return {
    weights: Object.fromEntries([...types].map((type) => [type, sum(({weights}) => weights[type] ?? 0)])),
    kvCache: sum(({kvCache}) => kvCache),
    scratch: sum(({scratch}) => scratch),
    logits: sum(({logits}) => logits),
    total: sum(({total}) => total),
  };
}
