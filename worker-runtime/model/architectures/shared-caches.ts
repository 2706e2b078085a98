import type {Hyperparameters} from './hyperparameters.ts';

/**
 * Whose keys and values a layer uses instead of its own. Each of the last `count` layers takes the last one before them all
 * that has a window as it has, or has none as it has none.
 *
 * @returns what throws a {@link GgufError} about `attention.shared_kv_layers` where there is no such layer
 */
export function sharedCaches(
  keys: Hyperparameters,
  windowed: readonly boolean[],
  count: number,
): (layer: number) => number | undefined {
  const first = keys.layerCount - count;
  return (layer) => {
    if (layer < first) return undefined;
    const source = first > 0 ? windowed.lastIndexOf(windowed[layer] ?? false, first - 1) : -1;
    if (source >= 0) return source;
    throw keys.refusal('attention.shared_kv_layers', `leaves layer ${layer} without keys and values`);
  };
}
