/** Types of grade.mjs, which Node runs as it is. */
export interface Expectation {
  readonly all?: readonly (string | readonly string[])[];
  readonly none?: readonly string[];
  readonly matches?: string;
  readonly maxWords?: number;
}
export function shortcomings(answer: string, expect: Expectation): string[];
export function problemOf(question: Record<string, unknown>): string | null;
