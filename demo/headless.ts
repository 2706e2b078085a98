import {GgufRuntime} from '../worker-runtime/client/index.ts'; // On your site: 'gguf-chat/runtime'

const form = document.querySelector('form')!;
const prompt = document.querySelector<HTMLTextAreaElement>('#prompt')!;
const stop = document.querySelector<HTMLButtonElement>('#stop')!;
const answer = document.querySelector('#answer')!;
const status = document.querySelector('#status')!;
let stopper = new AbortController();

async function start(): Promise<GgufRuntime> {
  const runtime = await GgufRuntime.boot();
  const {parameterCount} = await runtime.loadModel('./model/pip.gguf');
  status.textContent = `Ready: ${parameterCount.toLocaleString('en')} parameters.`;
  return runtime;
}

async function ask(question: string, signal: AbortSignal): Promise<void> {
  const runtime = await ready;
  answer.replaceChildren();
  status.textContent = 'Writing…';
  const run = runtime.generate({messages: [{role: 'user', content: question}], signal});
  for await (const {text} of run) answer.append(text);
  const {finishReason, usage, timings} = await run.result;
  const speed = usage.completionTokens / (timings.decodeMs / 1000);
  const end = finishReason === 'cancelled' ? 'Stopped' : 'Done';
  status.textContent = `${end}: ${usage.completionTokens} tokens, ${Math.round(speed)} a second.`;
}

function say(error: unknown): void {
  status.textContent = error instanceof Error ? error.message : String(error);
}

const ready = start();
ready.catch(say);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  stopper.abort(); // A new question ends the old answer.
  const {signal} = (stopper = new AbortController());
  stop.disabled = false;
  await ask(prompt.value, signal).catch(say);
  if (stopper.signal === signal) stop.disabled = true;
});
stop.addEventListener('click', () => stopper.abort());
