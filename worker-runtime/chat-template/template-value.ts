import type {Interpreter} from '@huggingface/jinja';
import {templateLimits} from './limits.ts';
import type {RenderBudget} from './render-budget.ts';
import {TemplateLimitError} from './template-error.ts';

/** A value of the template engine, which does not export the type. */
export type TemplateValue = ReturnType<Interpreter['evaluate']>;

/** Units of work for each element of a list or object. */
const elementWork = 8;

/** The characters of a string, the elements of a list or object, 1 for what has neither. */
export function shallowSize({value}: TemplateValue): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 1;
}

export function isText({value}: TemplateValue): boolean {
  return typeof value === 'string';
}

export function isContainer({value}: TemplateValue): boolean {
  return Array.isArray(value) || value instanceof Map;
}

export function isFunction({value}: TemplateValue): boolean {
  return typeof value === 'function';
}

interface Extent {
  /** Characters when written out. */
  readonly size: number;
  /** Levels of lists and objects. */
  readonly depth: number;
}

/**
 * How long values are when they are written out. Lists can hold the same list many times, so that a few steps build
 * something that has exponentially many elements to everyone who walks through it: no such value is let into being.
 */
export class ValueSizes {
  readonly #budget: RenderBudget;
  /** Lists and objects never change once they are there; namespaces do and are not kept here. */
  readonly #known = new WeakMap<object, Extent>();

  constructor(budget: RenderBudget) {
    this.#budget = budget;
  }

  /** @throws {TemplateLimitError} for a value beyond the limits or a namespace in a list; an error for a number that is none */
  of(value: TemplateValue): number {
    return this.#extent(value).size;
  }

  depth(value: TemplateValue): number {
    return this.#extent(value).depth;
  }

  #extent(value: TemplateValue): Extent {
    const content: unknown = value.value;
    if (content instanceof Map || Array.isArray(content)) {
      const known = this.#known.get(value);
      if (known) return known;
      const extent = this.#measure(content as TemplateValue[] | Map<string, TemplateValue>);
      if (value.type !== 'NamespaceValue') this.#known.set(value, extent);
      return extent;
    }
    // In Python, for which templates are written, division by zero and overflow are errors, too.
    if (typeof content === 'number' && !Number.isFinite(content))
      throw new Error('division by zero, or a number too large');
    const size = typeof content === 'string' ? content.length : 1;
    this.#budget.checkSize(size);
    return {size, depth: 0};
  }

  #measure(content: readonly TemplateValue[] | Map<string, TemplateValue>): Extent {
    const isMap = content instanceof Map;
    this.#budget.spend((isMap ? content.size : content.length) * elementWork);
    let size = 2;
    let depth = 0;
    if (isMap) for (const key of content.keys()) size += key.length + 2;
    for (const member of content.values()) {
      // It could come to contain itself later.
      if (member.type === 'NamespaceValue')
        throw new TemplateLimitError('it puts a namespace into another value');
      const extent = this.#extent(member);
      size += extent.size + 2;
      depth = Math.max(depth, extent.depth);
    }
    this.#budget.checkSize(size);
    if (depth >= templateLimits.depth) throw new TemplateLimitError('it nests values too deep');
    return {size, depth: depth + 1};
  }
}
