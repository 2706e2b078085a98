import '../components/define.ts'; // On your site: 'gguf-chat/define.js'

const chat = document.querySelector('gguf-chat')!;
const form = document.querySelector('form')!;
const tag = document.querySelector('#tag')!;

/** Each control is the attribute of its name; at its default, or invalid, the attribute is left out. */
function apply(): void {
  for (const control of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('[name]')) {
    const {name, value, defaultValue, validity} = control;
    if (value === defaultValue || !validity.valid) chat.removeAttribute(name);
    else chat.setAttribute(name, value);
    const shown = form.querySelector(`output[for="${name}"]`);
    if (shown) shown.textContent = value;
  }
  tag.textContent = markup();
}

/** The tag as it would be written in a page. */
function markup(): string {
  const attributes = [...chat.attributes].map(({name, value}) => {
    const escaped = value.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    return `\n  ${name}="${escaped}"`;
  });
  return `<gguf-chat${attributes.join('')}\n></gguf-chat>`;
}

form.addEventListener('input', apply);
form.addEventListener('submit', (event) => event.preventDefault());
// The controls are reset after this event.
form.addEventListener('reset', () => setTimeout(apply));
apply();

document.querySelector('#copy')!.addEventListener('click', async () => {
  const copied = document.querySelector('#copied')!;
  try {
    await navigator.clipboard.writeText(markup());
    copied.textContent = 'Copied.';
  } catch {
    copied.textContent = 'This browser did not allow it: select the text instead.';
  }
  setTimeout(() => (copied.textContent = ''), 3000);
});
