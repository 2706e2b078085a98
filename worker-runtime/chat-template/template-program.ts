import {Environment, parse, tokenize} from '@huggingface/jinja';
import {BoundedInterpreter} from './bounded-interpreter.ts';
import {templateLimits} from './limits.ts';
import {RenderBudget} from './render-budget.ts';
import {templateError, TemplateLimitError} from './template-error.ts';
import {declareGlobals} from './template-globals.ts';
import type {TemplateNode} from './template-node.ts';

type Program = ReturnType<typeof parse>;
type Token = ReturnType<typeof tokenize>[number];

const opening: ReadonlySet<string> = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const closing: ReadonlySet<string> = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);

const blockStarts: ReadonlySet<string> = new Set(['if', 'for', 'macro', 'call', 'filter']);

/** A chat template that has been parsed, with white space around blocks treated as Hugging Face transformers do. */
export class TemplateProgram {
  readonly #program: Program;
  readonly #sourceLength: number;

  /** @throws {GgufError} `chat-template` for what is no template, or one beyond all real ones */
  constructor(source: string) {
    this.#sourceLength = source.length;
    try {
      checkSource(source);
      const tokens = tokenize(source, {lstrip_blocks: true, trim_blocks: true});
      checkNesting(tokens);
      this.#program = parse(tokens);
      checkDepth(this.#program);
    } catch (thrown) {
      throw templateError('parsing', thrown);
    }
  }

  /**
   * @param context the template's variables: values as JSON has them
   * @param now what the template sees as the current time
   * @throws {GgufError} `chat-template`, also when it would take too long or become too long
   */
  render(context: Readonly<Record<string, unknown>>, now = new Date()): string {
    try {
      const {messages} = context;
      const characters = JSON.stringify(context).length;
      const budget = new RenderBudget(characters, Array.isArray(messages) ? messages.length : 0);
      const environment = new Environment();
      declareGlobals(environment, budget, now);
      for (const [name, value] of Object.entries(context)) environment.set(name, value);
      const result = new BoundedInterpreter(environment, budget, this.#sourceLength).run(this.#program);
      return String(result.value);
    } catch (thrown) {
      throw templateError('rendering', thrown);
    }
  }
}

function checkSource(source: string): void {
  if (source.length > templateLimits.sourceLength) {
    throw new TemplateLimitError(
      `it has ${source.length} characters; ${templateLimits.sourceLength} are possible`,
    );
  }
  let cost = 0;
  for (const [run] of source.matchAll(/\s+/g)) cost += run.length ** 2;
  if (cost > templateLimits.whiteSpaceCost)
    throw new TemplateLimitError('it has too long runs of white space');
}

/** Bounds all that the parser's recursion follows: brackets, blocks, and chains of operators inside of one tag. */
function checkNesting(tokens: readonly Token[]): void {
  let brackets = 0;
  let blocks = 0;
  let alternatives = 0;
  let tagLength = 0;
  for (const [i, {type, value}] of tokens.entries()) {
    const isTag = type === 'OpenStatement' || type === 'OpenExpression';
    tagLength = isTag ? 0 : tagLength + 1;
    if (opening.has(type)) brackets++;
    else if (closing.has(type)) brackets--;
    else if (tokens[i - 1]?.type === 'OpenStatement') {
      if (blockStarts.has(value)) blocks++;
      else if (value === 'elif') alternatives++;
      else if (value !== 'endset' && value.startsWith('end')) blocks--;
    }
    if (
      Math.max(brackets, blocks) > templateLimits.nesting ||
      alternatives > templateLimits.alternatives ||
      tagLength > templateLimits.tagLength
    ) {
      throw new TemplateLimitError('its brackets, blocks or expressions nest too deep');
    }
  }
}

/** The engine walks through macros recursively; this walk does not recurse, so that it can find out. */
function checkDepth(program: Program): void {
  const pending: [unknown, number][] = [[program, 0]];
  for (let item = pending.pop(); item; item = pending.pop()) {
    const [value, depth] = item;
    if (depth > templateLimits.depth) throw new TemplateLimitError('its expressions or blocks nest too deep');
    if (value instanceof Map) {
      for (const [key, member] of value) pending.push([key, depth], [member, depth]);
    } else if (Array.isArray(value)) {
      for (const member of value) pending.push([member, depth]);
    } else if (isNode(value)) {
      for (const member of Object.values(value)) pending.push([member, depth + 1]);
    }
  }
}

function isNode(value: unknown): value is TemplateNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}
