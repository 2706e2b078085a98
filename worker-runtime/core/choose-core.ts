import {cores} from '../../wasm/build/cores.js';
import {GgufError} from '../errors.ts';
import type {CoreVariant} from '../protocol.ts';
import {coreBytes} from './core-bytes.ts';
import {arenaBase, pageBytes} from './core-exports.ts';
import {instantiateCore} from './core.ts';
import type {CompiledCore} from './core.ts';

export interface ChosenCore {
  readonly core: CompiledCore;
  /** Why it is not the better one, for diagnostics. */
  readonly fallbacks: readonly string[];
}

/**
 * Picks the core: the relaxed one where the engine has relaxed SIMD and its dot product is exact at least for 7-bit
 * weights (probed, because engines differ), else the baseline one. Both give the same bits.
 *
 * @throws {GgufError} `unsupported-browser` without SIMD, or when `forced` cannot run here; `invalid-setting`
 */
export async function chooseCore(forced?: CoreVariant): Promise<ChosenCore> {
  if (forced !== undefined && !Object.hasOwn(cores, forced)) {
    throw new GgufError('invalid-setting', `core must be "baseline" or "relaxed", not "${String(forced)}"`, {
      field: 'core',
    });
  }
  const fallbacks: string[] = [];
  for (const variant of forced ? [forced] : (['relaxed', 'baseline'] as const)) {
    const core = await compile(variant);
    if (typeof core !== 'string') return {core, fallbacks};
    fallbacks.push(core);
  }
  throw new GgufError('unsupported-browser', `No WebAssembly core can run here: ${fallbacks.join('; ')}`);
}

/** The compiled core, or the reason why it cannot be used. */
async function compile(variant: CoreVariant): Promise<CompiledCore | string> {
  const {sha256} = cores[variant];
  const bytes = await coreBytes(variant);
  if (!WebAssembly.validate(bytes)) return `${variant} core: this engine cannot run its SIMD instructions`;
  const module = await WebAssembly.compile(bytes).catch((error: Error) => error);
  // A Content-Security-Policy without 'wasm-unsafe-eval' forbids it.
  if (module instanceof Error) return `${variant} core: it was not compiled: ${module.message}`;
  const memory = new WebAssembly.Memory({initial: arenaBase / pageBytes});
  const calculator = await instantiateCore(module, memory);
  const dotMode = calculator.probeRelaxedDot();
  if (dotMode < 0) return `${variant} core: the engine's relaxed dot product is wrong even for 7-bit weights`;
  // Sizes of layouts depend on the mode: the plan must be that of the cores that will run.
  calculator.setDotMode(dotMode);
  return {variant, module, dotMode, sha256, calculator};
}
