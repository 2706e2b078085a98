import assert from 'node:assert/strict';
import {visit} from '../visit.mjs';

/** The policies of docs/csp.md. */
const strict = (workers) =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src ${workers}; connect-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types gguf-chat lit-html`;

async function underPolicy(setting, workers, tag) {
  const headers = {'content-security-policy': strict(workers)};
  await visit(setting, {tag: `src="/model.gguf" max-tokens="5" ${tag}`, headers}, async (visitor) => {
    await visitor.load();
    await visitor.say('hello');
    await visitor.waitForAnswer();
    assert.equal((await visitor.messages()).length, 2);
    visitor.assertNoProblems();
  });
}

/** Where the policy forbids the Worker, the error says what to do. */
async function forbidden(setting) {
  const headers = {'content-security-policy': strict("'none'")};
  await visit(setting, {headers}, async (visitor) => {
    await visitor.click('button', 'Load model');
    await visitor.waitForStatus('error');
    assert.equal((await visitor.events('gguf-error'))[0].detail.error.name, 'worker-failed');
  });
}

export const csp = [
  {name: 'a strict policy with blob: Workers', run: (setting) => underPolicy(setting, 'blob:', '')},
  {
    name: 'a strict policy with a self-hosted Worker',
    run: (setting) => underPolicy(setting, "'self'", 'worker-src="/gguf-chat.worker.js"'),
  },
  {name: 'a policy that forbids the Worker', run: forbidden},
];
