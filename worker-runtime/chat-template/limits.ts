/**
 * What a chat template may cost. A template is a program from an untrusted file; the largest real ones have 17 kB, nest 11
 * levels deep and take 40 steps a message. Budgets grow with the conversation, so that a long one is never refused.
 */
export const templateLimits = {
  /** Characters of a template. */
  sourceLength: 512 * 1024,
  /** Sum of the squares of the lengths of runs of white space: what the template engine's patterns cost at worst. */
  whiteSpaceCost: 20_000_000,
  /** Brackets and blocks inside of each other: bounds the parser's recursion. */
  nesting: 100,
  /** `elif`s of a template; the parser recurses for each one of a chain. */
  alternatives: 500,
  /** Tokens of one tag; the parser recurses along chains as `not not …`. */
  tagLength: 2000,
  /** Levels of the syntax tree, and of calls while rendering: bounds the interpreter's recursion. */
  depth: 300,
  /** Units of work (see {@link RenderBudget}) of an empty conversation; about a second at worst. */
  work: 10_000_000,
  /** More units for each character and each message that is put in. */
  workPerCharacter: 32,
  workPerMessage: 50_000,
  /** Characters of any value while rendering, the result included, and more for each that is put in. */
  size: 1024 * 1024,
  sizePerCharacter: 8,
} as const;
