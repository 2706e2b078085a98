/** What `context.mjs` runs in the page: one runtime for each length of context, so that they can take turns. */
import {GgufRuntime} from '/dist/runtime.js';

/** @type {{runtime: GgufRuntime, prompt: number[]}[]} */
const contexts = [];

globalThis.page = {
  /** Loads the model once more and fills its context with `length` tokens; what the runtime says of itself. */
  async open({model, core, kvType, contextLength, length}) {
    const runtime = await GgufRuntime.boot({shards: 1, ...(core === undefined ? {} : {core})});
    await runtime.loadModel(new URL(model, location.origin).href, {contextLength, kvType});
    // Any ordinary tokens: those behind the control tokens.
    const prompt = Array.from({length}, (_, index) => 3 + ((index * 37) % 256));
    await runtime.generate({tokens: prompt, maxTokens: 1, ignoreEndOfGeneration: true}).result;
    contexts.push({runtime, prompt});
    return runtime.diagnostics();
  },

  /** Milliseconds a token, greedy, behind the prompt of a context, which is there already. */
  async decode(index, maxTokens) {
    const {runtime, prompt} = contexts[index];
    const run = runtime.generate({tokens: prompt, maxTokens, ignoreEndOfGeneration: true});
    const {usage, timings} = await run.result;
    if (usage.cachedTokens !== prompt.length - 1) throw new Error('the context was not there any more');
    if (usage.completionTokens !== maxTokens) throw new Error(`only ${usage.completionTokens} tokens`);
    return timings.decodeMs / (maxTokens - 1);
  },
};
