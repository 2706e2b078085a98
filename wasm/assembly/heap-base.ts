/**
 * Where the static data of this binary end. Checked by the build: they must leave the arena of the Worker
 * alone.
 */
export function heapBase(): usize {
  return __heap_base;
}
