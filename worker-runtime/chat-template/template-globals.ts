import type {Environment} from '@huggingface/jinja';
import type {RenderBudget} from './render-budget.ts';
import {strftime} from './strftime.ts';
import {TemplateRefusal} from './template-error.ts';

/** Units of work for each number of a range: it becomes an object. */
const rangeWork = 16;

/** Declares what Hugging Face transformers give to chat templates, bounded where the engine's own functions are not. */
export function declareGlobals(environment: Environment, budget: RenderBudget, now: Date): void {
  const globals: Readonly<Record<string, unknown>> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception: (message: unknown) => {
      throw new TemplateRefusal(typeof message === 'string' ? message : 'it gives no reason');
    },
    strftime_now: (format: unknown) => {
      if (typeof format !== 'string') throw new Error('strftime_now needs a format');
      return strftime(now, format);
    },
    range: (...limits: unknown[]) => range(limits, budget),
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
}

/** Python's `range`: `(stop)`, `(start, stop)` or `(start, stop, step)`. */
function range(limits: readonly unknown[], budget: RenderBudget): number[] {
  if (limits.length === 0 || limits.length > 3 || !limits.every((limit) => Number.isSafeInteger(limit))) {
    throw new Error('range needs one to three whole numbers');
  }
  const [first = 0, second, step = 1] = limits as number[];
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error('the step of a range must not be zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  budget.spend(length * rangeWork);
  return Array.from({length}, (_, i) => start + i * step);
}
