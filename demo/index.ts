import type {GgufChat} from '../components/index.ts';

const chat = required<GgufChat>('#chat');
const source = required<HTMLFormElement>('#source');
const url = required<HTMLInputElement>('#url');
const file = required<HTMLInputElement>('#file');

/** `?model=URL` names the model. */
const asked = new URLSearchParams(location.search).get('model');
if (asked) use(asked);

function use(address: string): void {
  url.value = new URL(address, location.href).href;
  chat.src = url.value;
}

/** The element shows what went wrong; the page has nothing to add. */
function load(model?: File): void {
  chat.load(model).catch(() => undefined);
}

source.addEventListener('submit', (event) => {
  event.preventDefault();
  use(url.value);
  load();
});

file.addEventListener('change', () => {
  const [model] = file.files ?? [];
  if (model) load(model);
});

document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
document.addEventListener('dragleave', () => document.body.classList.remove('dropping'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  const [model] = event.dataTransfer?.files ?? [];
  if (model) load(model);
});

/** Each control is an attribute. */
required<HTMLFormElement>('#sampling').addEventListener('input', ({target}) => {
  if (target instanceof HTMLInputElement) chat.setAttribute(target.name, target.value);
});

const eventNames = [
  'gguf-before-load',
  'gguf-load',
  'gguf-unload',
  'gguf-send',
  'gguf-message',
  'gguf-generate-start',
  'gguf-generate-end',
  'gguf-status',
  'gguf-error',
] as const;
const mostEvents = 200;
const list = required<HTMLOListElement>('#events');
for (const name of eventNames) {
  chat.addEventListener(name, ({detail}) => {
    const item = document.createElement('li');
    const text = detail instanceof Error ? String(detail) : JSON.stringify(detail);
    item.textContent = `${name} ${text.slice(0, 200)}`;
    list.append(item);
    if (list.childElementCount > mostEvents) list.firstElementChild?.remove();
  });
}

function required<T extends Element>(selector: string): T {
  const element = document.querySelector<T>(selector);
  if (!element) throw new Error(`${selector} is missing`);
  return element;
}
