import type {TemplateNode} from './template-node.ts';
import {isContainer, isText, shallowSize} from './template-value.ts';
import type {TemplateValue, ValueSizes} from './template-value.ts';

/** What a pattern of `length` characters costs to be found at one place of a text, at worst. */
const searchWork = (length: number): number => 1 + length / 64;

/** Filters that write a whole value out. */
const writingFilters: ReadonlySet<string> = new Set(['tojson', 'string', 'join', 'unique']);
const sortingFilters: ReadonlySet<string> = new Set(['sort', 'dictsort']);

/** Units of work of a finished operation on `inputs`, beyond the step itself. */
export function operationWork(
  node: TemplateNode,
  inputs: readonly TemplateValue[],
  sizes: ValueSizes,
): number {
  switch (node.type) {
    case 'BinaryExpression':
      return binaryWork(node.operator?.value, inputs, sizes);
    case 'FilterExpression': {
      const [operand] = inputs;
      if (!operand) return 0;
      const name = filterName(node);
      if (sortingFilters.has(name))
        return 4 * sizes.of(operand) * Math.ceil(Math.log2(2 + shallowSize(operand)));
      return writingFilters.has(name) ? sizes.of(operand) : shallowSize(operand);
    }
    case 'TestExpression':
      return inputs.reduce((sum, input) => sum + (isText(input) ? shallowSize(input) : 0), 0);
    case 'MemberExpression':
      // A slice visits all of its object.
      return node.property?.type === 'SliceExpression' && inputs[0] ? 8 * shallowSize(inputs[0]) : 0;
    default:
      return 0;
  }
}

function binaryWork(
  operator: string | undefined,
  inputs: readonly TemplateValue[],
  sizes: ValueSizes,
): number {
  const all = (): number => inputs.reduce((sum, input) => sum + sizes.of(input), 0);
  switch (operator) {
    case 'and':
    case 'or':
      return 0;
    case '==':
    case '!=':
      // JavaScript writes a list out to compare it with a string.
      if (inputs.some(isContainer) && inputs.some((input) => !isContainer(input))) return all();
      return Math.min(...inputs.map((input) => (isText(input) ? shallowSize(input) : 1)));
    case '+':
    case '~':
      return all();
    default:
      return inputs.reduce((sum, input) => sum + shallowSize(input), 0);
  }
}

/** A function that belongs to a value. */
export interface Method {
  readonly receiver: TemplateValue;
  readonly name: string;
}

/** What an operation that is about to start would cost and build, at worst. */
export interface Forecast {
  readonly work: number;
  /** Characters of the result. */
  readonly size: number;
}

/**
 * The forecast for operations whose result is not in proportion to their inputs, once all that is known to be needed of
 * these has been evaluated; `null` for the others.
 *
 * @param method for a call, what is called, if it is a method
 */
export function forecast(
  node: TemplateNode,
  inputs: readonly TemplateValue[],
  sizes: ValueSizes,
  method?: Method,
): Forecast | null {
  if (node.type === 'BinaryExpression') {
    const [needle, hay] = inputs;
    if (!needle || !hay || !['in', 'not in'].includes(node.operator?.value ?? '') || !isText(hay))
      return null;
    return {work: shallowSize(hay) * searchWork(shallowSize(needle)), size: 0};
  }
  if (node.type === 'FilterExpression') {
    const [operand, ...args] = inputs;
    return operand && args.length > 0 ? forecastMethod(filterName(node), operand, args, sizes) : null;
  }
  return method ? forecastMethod(method.name, method.receiver, inputs, sizes) : null;
}

/** @param args in the order of evaluation; those by keyword are among them, without their names */
function forecastMethod(
  name: string,
  operand: TemplateValue,
  args: readonly TemplateValue[],
  sizes: ValueSizes,
): Forecast {
  const length = shallowSize(operand);
  const size = sizes.of(operand);
  const texts = args.reduce((sum, arg) => sum + sizes.of(arg), 0);
  switch (name) {
    case 'replace': {
      const [old, replacement] = args;
      const matches = old && shallowSize(old) > 0 ? length / shallowSize(old) : length + 1;
      const added = replacement ? matches * shallowSize(replacement) : 0;
      return {work: length * searchWork(texts) + added, size: length + added};
    }
    case 'join':
      return {work: size + length * texts, size: size + length * texts};
    case 'indent':
    case 'tojson': {
      // At worst, every character is a line or an element of its own.
      const lines = isText(operand) ? countLines(operand) : size;
      const width = args.reduce(
        (sum, arg) => sum + (typeof arg.value === 'number' ? Math.abs(arg.value) : 0),
        0,
      );
      const depth = isText(operand) ? 1 : sizes.depth(operand);
      const added = lines * (width * depth + (isText(operand) ? 0 : texts));
      return {work: size + added, size: size + added};
    }
    case 'sort':
    case 'dictsort':
      return {work: (4 * size + length * texts) * Math.ceil(Math.log2(2 + length)), size};
    default:
      return {work: length * searchWork(texts) + (isContainer(operand) ? length * texts : 0), size};
  }
}

function filterName(node: TemplateNode): string {
  return node.filter?.value ?? node.filter?.callee?.value ?? '';
}

function countLines({value}: TemplateValue): number {
  let lines = 1;
  if (typeof value !== 'string') return lines;
  for (let i = value.indexOf('\n'); i >= 0; i = value.indexOf('\n', i + 1)) lines++;
  return lines;
}
