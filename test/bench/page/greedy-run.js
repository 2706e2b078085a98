/**
 * One greedy run in a fresh context, as all benchmarks do it.
 *
 * @param {import('../../../worker-runtime/client/index.ts').GgufRuntime} runtime
 * @param {import('../../../worker-runtime/client/index.ts').GenerateOptions} options prompt and `maxTokens`
 */
export async function greedyRun(runtime, options) {
  await runtime.resetContext();
  const run = runtime.generate({...options, sampling: {temperature: 0}, ignoreEndOfGeneration: true});
  const {usage, timings} = await run.result;
  if (usage.cachedTokens !== 0) throw new Error('the context was not empty');
  return {usage, timings};
}
