import {describeEnvironment, environmentFacts} from './bench/environment.ts';
import {measureModel} from './bench/measurement.ts';
import type {Result} from './bench/measurement.ts';
import {builtInModel, fileModel, syntheticModel} from './bench/models.ts';
import type {BenchModel} from './bench/models.ts';
import {errorText, markdownOf, titleOf} from './bench/report.ts';
import {definitions, resultCard} from './bench/view.ts';
import {onFileDrop} from './file-drop.ts';

const element = <Type extends HTMLElement>(id: string): Type => document.querySelector<Type>(`#${id}`)!;

const form = document.querySelector('form')!;
const file = element<HTMLInputElement>('file');
const start = element<HTMLButtonElement>('start');
const stop = element<HTMLButtonElement>('stop');
const status = element('status');
const progress = element<HTMLProgressElement>('progress');
const step = element('step');
const results: Result[] = [];
let stopper = new AbortController();

/** The models that the form asks for. */
function chosenModels(): BenchModel[] {
  const values = new FormData(form);
  switch (values.get('source')) {
    case 'synthetic':
      return values.getAll('type').map((type) => syntheticModel(String(values.get('shape')), String(type)));
    case 'built-in':
      return [builtInModel()];
    default:
      return [...(file.files ?? [])].map(fileModel);
  }
}

/** What does not belong to the kind of model that is chosen is neither shown nor asked for. */
function showChoice(): void {
  const source = new FormData(form).get('source');
  for (const part of form.querySelectorAll<HTMLElement>('[data-source]')) {
    part.hidden = part.dataset['source'] !== source;
  }
  file.required = source === 'file';
  const [firstType] = form.querySelectorAll<HTMLInputElement>('[name="type"]');
  const lacksType = source === 'synthetic' && !form.querySelector('[name="type"]:checked');
  firstType?.setCustomValidity(lacksType ? 'Choose one type or more.' : '');
}

/** Measures one model after the other. What is measured stays, whatever happens to the next. */
async function measureAll(models: readonly BenchModel[], signal: AbortSignal): Promise<void> {
  const number = (id: string): number => element<HTMLInputElement>(id).valueAsNumber;
  const options = {
    prompt: number('prompt'),
    tokens: number('tokens'),
    repetitions: number('repetitions'),
  };
  for (const [index, model] of models.entries()) {
    const name = titleOf({model: model.origin});
    status.textContent = `Measuring ${name}: ${index + 1} of ${models.length}.`;
    const environment = await describeEnvironment();
    const onProgress = (label: string, ratio: number): void => {
      step.textContent = label;
      progress.value = (index + ratio) / models.length;
    };
    const result = await measureModel({model, options, environment, signal, onProgress});
    keep(result);
    if (signal.aborted) break;
  }
}

/** What was stopped before it had a sample says nothing. */
function keep(result: Result): void {
  if (result.status === 'stopped' && !result.figures['decode']) return;
  results.push(result);
  showResults();
}

function showResults(): void {
  element('results').hidden = results.length === 0;
  element('cards').replaceChildren(...results.map(resultCard));
  element('markdown').textContent = markdownOf(results);
}

function summary(newResults: readonly Result[], signal: AbortSignal): string {
  if (signal.aborted) return 'Stopped. What was measured before is below.';
  const failed = newResults.find(({status}) => status === 'failed');
  if (failed?.error) return `${titleOf(failed)} failed: ${errorText(failed.error)}.`;
  return `Done: ${newResults.length === 1 ? 'one model' : `${newResults.length} models`} measured.`;
}

/** Start and Stop take turns; the focus goes with them, because a disabled button loses it. */
function showRunning(isRunning: boolean): void {
  const [off, on] = isRunning ? [start, stop] : [stop, start];
  const hadFocus = document.activeElement === off;
  on.disabled = false;
  if (hadFocus) on.focus();
  off.disabled = true;
  element('running').hidden = !isRunning;
}

form.addEventListener('input', showChoice);
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const {signal} = (stopper = new AbortController());
  const known = results.length;
  progress.value = 0;
  showRunning(true);
  await measureAll(chosenModels(), signal);
  showRunning(false);
  status.textContent = summary(results.slice(known), signal);
});
stop.addEventListener('click', () => stopper.abort());

onFileDrop((dropped) => {
  const list = new DataTransfer();
  list.items.add(dropped);
  file.files = list.files;
  element<HTMLInputElement>('source-file').checked = true;
  showChoice();
});

element('export').addEventListener('click', () => {
  const url = URL.createObjectURL(
    new Blob([`${JSON.stringify(results, null, 2)}\n`], {type: 'application/json'}),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = `gguf-chat-bench-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});

element('copy').addEventListener('click', async () => {
  const copied = element('copied');
  try {
    // Without a secure origin there is no clipboard at all.
    await navigator.clipboard.writeText(markdownOf(results));
    copied.textContent = 'Copied.';
  } catch {
    copied.textContent = 'This browser did not allow it: the text is selected below.';
    element<HTMLDetailsElement>('text').open = true;
    getSelection()?.selectAllChildren(element('markdown'));
  }
});

element('clear').addEventListener('click', () => {
  results.length = 0;
  showResults();
  status.textContent = 'The results are cleared.';
  start.focus();
});

showChoice();
element('device').replaceChildren(...definitions(environmentFacts(await describeEnvironment())));
