import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The whole page, shadow roots included, by axe: fails with what it found; `state` says when. */
export async function audit({page}, state) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    // Colours on their way to others are not those that people read.
    const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(transitions.map(({finished}) => finished));
    const {violations: found} = await globalThis.axe.run(document);
    return found.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 120)).join(' | ')}`);
  });
  assert.deepEqual(violations, [], `axe, ${state}`);
}
