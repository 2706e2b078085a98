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
import type {Method} from './template-work.ts';

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
  /** Where functions came from that are methods of values; they may be called much later, under another name. */
  readonly #methods = new WeakMap<TemplateValue, Method>();
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
    const frame: Frame = {node: statement, inputs: [], children: 0, called: false};
    this.#frame = frame;
    this.#depth++;
    try {
      // The engine's `first` and `last` give nothing at all for an empty list; Jinja gives the undefined value.
      const result = this.#evaluateNode(statement, environment) ?? super.evaluate(undefined, environment);
      const size = this.#sizes.of(result);
      this.#budget.spend(operationWork(statement, frame.inputs, this.#sizes));
      this.#noteMethod(frame, result);
      if (outer) this.#account(outer, statement, result, size);
      return result;
    } finally {
      // `break` and `continue` are exceptions of the engine: they, too, leave the frame.
      this.#frame = outer;
      this.#depth--;
    }
  }

  #evaluateNode(node: TemplateNode, environment: Environment): TemplateValue | undefined {
    if (node.evaluated) return node.evaluated;
    if (node.type !== 'FilterStatement') return super.evaluate(node, environment);
    // A filter over a block is taken apart, so that the block's text is measured before the filter sees it.
    const evaluated = this.evaluate({type: 'Program', body: node.body}, environment);
    const operand: TemplateNode = {type: 'Evaluated', evaluated};
    return this.evaluate({type: 'FilterExpression', filter: node.filter, operand}, environment);
  }

  #noteMethod({node, inputs}: Frame, result: TemplateValue): void {
    const [receiver, computed] = inputs;
    if (node.type !== 'MemberExpression' || !receiver || !isFunction(result) || this.#methods.has(result))
      return;
    this.#methods.set(result, {receiver, name: String(computed ? computed.value : node.property?.value)});
  }

  /** Adds the result of `child` to what its parent has been given, before the parent goes on. */
  #account(parent: Frame, child: TemplateNode, result: TemplateValue, size: number): void {
    const {node, inputs} = parent;
    const isFirst = parent.children++ === 0;
    if (node.type === 'CallStatement' && this.#methods.has(result)) {
      throw new TemplateLimitError('it calls a method with a block');
    }
    if (node.type === 'For' && isFirst) {
      this.#budget.spend(shallowSize(result) * iterationWork);
    } else if (node.type === 'CallExpression' && child === node.callee) {
      parent.called = true;
      this.#allow(parent, this.#methods.get(result));
    } else if (isOperation(node) && !parent.called) {
      inputs.push(result);
      this.#allow(parent);
    } else if (child !== node.test && child !== node.value) {
      // A block: what its parts give is put together.
      this.#budget.spend(size);
    }
  }

  #allow({node, inputs}: Frame, method?: Method): void {
    const expected = forecast(node, inputs, this.#sizes, method);
    if (!expected) return;
    this.#budget.checkSize(expected.size);
    this.#budget.spend(expected.work);
  }
}
