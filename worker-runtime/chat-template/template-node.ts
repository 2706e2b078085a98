import type {Interpreter} from '@huggingface/jinja';
import type {TemplateValue} from './template-value.ts';

type EngineNode = NonNullable<Parameters<Interpreter['evaluate']>[0]>;

/** A node of the engine's syntax tree, which does not export the types; what we look at of the nodes that we tell apart. */
export type TemplateNode = EngineNode & {
  /** BinaryExpression */
  readonly operator?: {readonly value: string};
  /** FilterExpression, FilterStatement: the filter's name, or its call */
  readonly filter?: {readonly value?: string; readonly callee?: {readonly value?: string}} | undefined;
  /** FilterExpression */
  readonly operand?: TemplateNode;
  /** CallExpression */
  readonly callee?: TemplateNode;
  /** MemberExpression */
  readonly property?: TemplateNode;
  /** Identifier: its name. Set: the expression. */
  readonly value?: unknown;
  /** If */
  readonly test?: TemplateNode;
  /** Program, FilterStatement */
  readonly body?: readonly TemplateNode[] | undefined;
  /** In place of an expression, what it was evaluated to; no node of the engine has it. */
  readonly evaluated?: TemplateValue;
};

/** Nodes whose work depends on the values of their operands. */
const operations: ReadonlySet<string> = new Set([
  'BinaryExpression',
  'FilterExpression',
  'TestExpression',
  'MemberExpression',
  'CallExpression',
]);

export function isOperation({type}: TemplateNode): boolean {
  return operations.has(type);
}
