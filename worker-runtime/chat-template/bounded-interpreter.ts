import {Interpreter} from '@huggingface/jinja';
import type {Environment} from '@huggingface/jinja';
import {templateLimits} from './limits.ts';
import type {RenderBudget} from './render-budget.ts';
import {TemplateLimitError} from './template-error.ts';
import {isOperation} from './template-node.ts';
import type {TemplateNode} from './template-node.ts';
import {isFunction, shallowSize, ValueSizes} from './template-value.ts';
import type {TemplateValue} from './template-value.ts';
import {forecast, operationWork} from './template-work.ts';

const stepWork = 8;
/** For each step of a loop the engine makes a scope and the `loop` object. */
const iterationWork = 32;

/** A node under evaluation. */
interface Frame {
  readonly node: TemplateNode;
  /** Values of its operands so far, where the node is an operation. */
  readonly inputs: TemplateValue[];
  children: number;
  /** A call whose function is known: what is evaluated from now on is the function's body. */
  called: boolean;
  /** What a member was taken from. */
  receiver: TemplateValue | undefined;
}

/**
 * The template engine, bounded in time and memory.
 *
 * The engine evaluates every node of the syntax tree through `evaluate`, so that is where work is counted: the step
 * itself, then what the operation did with its operands. An operation that can build much from little (`replace`, `join`,
 * `indent`, `tojson`, …) is judged when the last of its operands is known, which is before the engine starts it. Every value
 * is measured when it comes into being.
 */
export class BoundedInterpreter extends Interpreter {
  readonly #budget: RenderBudget;
  readonly #sizes: ValueSizes;
  /** Preparing a macro, the engine looks through its body. */
  readonly #macroWork: number;
  #frame: Frame | null = null;
  #depth = 0;

  constructor(environment: Environment, budget: RenderBudget, sourceLength: number) {
    super(environment);
    this.#budget = budget;
    this.#sizes = new ValueSizes(budget);
    this.#macroWork = sourceLength / 4;
  }

  override evaluate(statement: TemplateNode | undefined, environment: Environment): TemplateValue {
    if (!statement) return super.evaluate(statement, environment);
    if (this.#depth === templateLimits.depth) throw new TemplateLimitError('it nests too deep');
    const isMacro = statement.type === 'Macro' || statement.type === 'CallStatement';
    this.#budget.spend(stepWork + (isMacro ? this.#macroWork : 0));

    const outer = this.#frame;
    const frame: Frame = {node: statement, inputs: [], children: 0, called: false, receiver: undefined};
    this.#frame = frame;
    this.#depth++;
    try {
      const result = super.evaluate(statement, environment);
      const size = this.#sizes.of(result);
      this.#budget.spend(operationWork(statement, frame.inputs, this.#sizes));
      if (outer) this.#account(outer, frame, result, size);
      return result;
    } finally {
      // `break` and `continue` are exceptions of the engine: they, too, leave the frame.
      this.#frame = outer;
      this.#depth--;
    }
  }

  /** Adds the result of `child` to what its parent has been given, before the parent goes on. */
  #account(parent: Frame, child: Frame, result: TemplateValue, size: number): void {
    const isFirst = parent.children++ === 0;
    const {node} = parent;
    if (node.type === 'For' && isFirst) {
      this.#budget.spend(shallowSize(result) * iterationWork);
    } else if (isOperation(node) && !parent.called) {
      this.#addInput(parent, child, result);
    } else if (child.node !== node.test && child.node !== (node.value as unknown)) {
      // A block: what its parts give is put together.
      this.#budget.spend(size);
    }
  }

  #addInput(parent: Frame, child: Frame, result: TemplateValue): void {
    const {node, inputs} = parent;
    if (node.type === 'MemberExpression' && inputs.length === 0) parent.receiver = result;
    if (node.type === 'CallExpression' && isFunction(result) && child.node === node.callee) {
      parent.called = true;
      this.#allow(parent, child.receiver);
      return;
    }
    inputs.push(result);
    this.#allow(parent, undefined);
  }

  #allow({node, inputs}: Frame, receiver: TemplateValue | undefined): void {
    const expected = forecast(node, inputs, this.#sizes, receiver);
    if (!expected) return;
    this.#budget.checkSize(expected.size);
    this.#budget.spend(expected.work);
  }
}
