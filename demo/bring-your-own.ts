import '../components/define.ts'; // On your site: 'gguf-chat/define.js'
import {onFileDrop} from './file-drop.ts';

const chat = document.querySelector('gguf-chat')!;
const form = document.querySelector('form')!;
const url = document.querySelector<HTMLInputElement>('#url')!;
const file = document.querySelector<HTMLInputElement>('#file')!;

/** Any model of the visitor's: a URL, or a file. */
async function load(model: File | string): Promise<void> {
  try {
    await chat.load(model);
  } catch {
    // The element shows what went wrong, and offers to try again.
  }
}

/** `?model=URL` names a model; it is loaded when the visitor says so. */
const asked = new URLSearchParams(location.search).get('model');
if (asked) url.value = chat.src = asked;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void load((chat.src = url.value.trim()));
});

document.querySelector('#open')!.addEventListener('click', () => file.click());
file.addEventListener('change', () => {
  const [model] = file.files ?? [];
  if (model) void load(model);
});

/** What to do is said until there is something to load; then the chat's own words take the place, and the focus. */
function endWelcome(): void {
  const welcome = document.querySelector('.welcome');
  if (!welcome || chat.status === 'empty') return;
  const focused = welcome.contains(document.activeElement);
  welcome.remove();
  if (focused) requestAnimationFrame(() => chat.focus());
}
chat.addEventListener('gguf-status', endWelcome);
endWelcome();

onFileDrop((model) => void load(model));
