import type {Interpreter} from '@huggingface/jinja';

/** A node of the engine's syntax tree, which does not export the types; what we look at of the nodes that we tell apart. */
export type TemplateNode = NonNullable<Parameters<Interpreter['evaluate']>[0]> & {
  /** BinaryExpression */
  readonly operator?: {readonly value: string};
  /** FilterExpression, FilterStatement: the filter's name, or its call */
  readonly filter?: {readonly value?: string; readonly callee?: {readonly value?: string}};
  /** CallExpression */
  readonly callee?: TemplateNode;
  /** MemberExpression */
  readonly property?: TemplateNode;
  /** Identifier: its name. Set: the expression. */
  readonly value?: string;
  /** If */
  readonly test?: TemplateNode;
};

/** Nodes whose work depends on the values of their operands. */
const operations: ReadonlySet<string> = new Set([
  'BinaryExpression',
  'FilterExpression',
  'FilterStatement',
  'TestExpression',
  'MemberExpression',
  'CallExpression',
]);

export function isOperation({type}: TemplateNode): boolean {
  return operations.has(type);
}
