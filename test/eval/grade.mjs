/** Grades answers of the evaluation. */

/**
 * @typedef {object} Question
 * @property {string} id
 * @property {string} topic `help/…`, `talk`, `facts`, `skills`, `stories`, `memory`, `system`, `unknown`
 * @property {string} [system] the system prompt
 * @property {string[]} turns what the visitor says; the answer to the last one is graded
 * @property {Expectation} expect
 *
 * @typedef {object} Expectation
 * @property {(string | string[])[]} [all] each of these must be in the answer; of a list, one of its members
 * @property {string[]} [none] none of these may be in it
 * @property {string} [matches] a regular expression (flags: i, s) that must match
 * @property {number} [maxWords]
 */

/**
 * What an answer lacks, in words; empty where it passes. Upper and lower case are equal, and a text counts only where it
 * is no part of a longer word: "red" is not in "rendered".
 *
 * @param {string} answer
 * @param {Expectation} expect
 * @returns {string[]}
 */
export function shortcomings(answer, {all = [], none = [], matches, maxWords}) {
  const found = [];
  for (const wanted of all) {
    const alternatives = [wanted].flat();
    if (!alternatives.some((text) => contains(answer, text)))
      found.push(`lacks ${alternatives.join(' or ')}`);
  }
  for (const unwanted of none) if (contains(answer, unwanted)) found.push(`has ${unwanted}`);
  if (matches !== undefined && !new RegExp(matches, 'is').test(answer))
    found.push(`does not match ${matches}`);
  const words = answer.trim().split(/\s+/).length;
  if (answer.trim() === '') found.push('is empty');
  if (maxWords !== undefined && words > maxWords) found.push(`has ${words} words`);
  return found;
}

function contains(answer, text) {
  const literal = text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  const start = /^[a-z0-9]/i.test(text) ? '(?<![a-z0-9])' : '';
  const end = /[a-z0-9]$/i.test(text) ? '(?![a-z0-9])' : '';
  return new RegExp(start + literal + end, 'i').test(answer);
}

/** @returns {string | null} what is wrong with a line of a question file */
export function problemOf({id, topic, turns, expect, ...rest}) {
  if (typeof id !== 'string' || typeof topic !== 'string') return 'needs id and topic';
  if (!Array.isArray(turns) || turns.length === 0) return 'needs turns';
  const {all = [], none = [], matches, maxWords, ...unknown} = expect ?? {};
  if (all.length === 0 && none.length === 0 && matches === undefined && maxWords === undefined)
    return 'expects nothing';
  const [extra] = [...Object.keys(unknown), ...Object.keys(rest).filter((key) => key !== 'system')];
  return extra === undefined ? null : `has an unknown key ${extra}`;
}
