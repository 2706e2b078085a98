import assert from 'node:assert/strict';
import {openSite} from '../site.mjs';
import {Visitor} from '../visitor.mjs';

/** The policies of docs/csp.md. */
const strict = (workers) =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src ${workers}; connect-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types gguf-chat lit-html`;

async function underPolicy({context, model}, workers, tag) {
  const headers = {'content-security-policy': strict(workers)};
  const site = await openSite({model, tag: `src="/model.gguf" max-tokens="5" ${tag}`, headers});
  try {
    const visitor = await Visitor.open(context, site.origin);
    await visitor.load();
    await visitor.say('hello');
    await visitor.waitForAnswer();
    assert.equal((await visitor.messages()).length, 2);
    visitor.assertNoProblems();
  } finally {
    await site.close();
  }
}

/** Where the policy forbids the Worker, the error says what to do. */
async function forbidden({context, model}) {
  const headers = {'content-security-policy': strict("'none'")};
  const site = await openSite({model, headers});
  try {
    const visitor = await Visitor.open(context, site.origin);
    await visitor.click('button', 'Load model');
    await visitor.waitForStatus('error');
    assert.equal((await visitor.events('gguf-error'))[0].detail.error.name, 'worker-failed');
  } finally {
    await site.close();
  }
}

export const csp = [
  {name: 'a strict policy with blob: Workers', run: (setting) => underPolicy(setting, 'blob:', '')},
  {
    name: 'a strict policy with a self-hosted Worker',
    run: (setting) => underPolicy(setting, "'self'", 'worker-src="/gguf-chat.worker.js"'),
  },
  {name: 'a policy that forbids the Worker', run: forbidden},
];
