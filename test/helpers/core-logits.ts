import {chooseCore} from '../../worker-runtime/core/choose-core.ts';
import {Arena} from '../../worker-runtime/core/arena.ts';
import {Core} from '../../worker-runtime/core/core.ts';
import {allocateSampling} from '../../worker-runtime/model/sampling-buffers.ts';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';
import {Logits} from '../../worker-runtime/sampling/logits.ts';
import {hasRelaxedSimd} from '../wasm/core-harness.ts';

/** The variants that this browser can run. */
export const coreVariants: readonly CoreVariant[] = hasRelaxedSimd() ? ['baseline', 'relaxed'] : ['baseline'];

/** Logits in a core of their own, in the places that a model's have. What pads their row is NaN. */
export async function placeLogits(values: Float32Array, variant?: CoreVariant): Promise<Logits> {
  const {core: compiled} = await chooseCore(variant);
  const arena = new Arena();
  const stride = Math.ceil(values.length / 16) * 64;
  const row = {pointer: arena.allocate(stride, 'logits'), columns: values.length, stride};
  const buffers = allocateSampling(values.length, arena, compiled.calculator);
  const core = await Core.instantiate(compiled, arena.plan().total);
  core.f32(row.pointer, stride / 4).fill(NaN);
  const logits = new Logits(core, row, buffers);
  logits.values.set(values);
  return logits;
}
