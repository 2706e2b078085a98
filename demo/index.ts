import type {GgufChat} from '../components/index.ts';

const chat = required<GgufChat>('#chat');
const source = required<HTMLFormElement>('#source');
const url = required<HTMLInputElement>('#url');
const file = required<HTMLInputElement>('#file');

/** `?model=URL` names the model; it is loaded when the visitor says so. */
const asked = new URLSearchParams(location.search).get('model');
if (asked) url.value = chat.src = asked;

async function load(model: File | string): Promise<void> {
  try {
    await chat.load(model);
  } catch {
    // The element shows what went wrong; the page has nothing to add.
  }
}

source.addEventListener('submit', (event) => {
  event.preventDefault();
  void load((chat.src = url.value));
});

required<HTMLButtonElement>('#open').addEventListener('click', () => file.click());
file.addEventListener('change', () => {
  const [model] = file.files ?? [];
  if (model) void load(model);
});

/** What to do is said until there is something to load; then the chat's own words take the place, and the focus. */
function endWelcome(): void {
  const welcome = document.querySelector('#welcome');
  if (!welcome || chat.status === 'empty') return;
  const focused = welcome.contains(document.activeElement);
  welcome.remove();
  if (focused) requestAnimationFrame(() => chat.focus());
}
chat.addEventListener('gguf-status', endWelcome);
endWelcome();

const carriesFile = ({dataTransfer}: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false;
document.addEventListener('dragover', (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  document.body.classList.add('dropping');
});
document.addEventListener('dragleave', ({relatedTarget}) => {
  // From one element into the next is no leaving.
  if (!relatedTarget) document.body.classList.remove('dropping');
});
document.addEventListener('drop', (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  document.body.classList.remove('dropping');
  const [model] = event.dataTransfer?.files ?? [];
  if (model) void load(model);
});

/** Each control is an attribute; an empty one leaves it to the default. */
required<HTMLFormElement>('#sampling').addEventListener('input', ({target}) => {
  if (!(target instanceof HTMLInputElement)) return;
  if (target.value === '') chat.removeAttribute(target.name);
  else chat.setAttribute(target.name, target.value);
});
required<HTMLFormElement>('#sampling').addEventListener('submit', (event) => event.preventDefault());

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
    const text = 'error' in detail ? String(detail.error) : JSON.stringify(detail);
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
