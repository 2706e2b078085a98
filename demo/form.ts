import '../components/define.ts'; // On your site: 'gguf-chat/define.js'

const form = document.querySelector('form')!;
const summary = document.querySelector('#summary')!;
const fields = document.querySelector<HTMLElement>('#fields')!;

form.addEventListener('submit', (event) => {
  event.preventDefault(); // A form of your site would send it.
  const entries = [...new FormData(form)];
  fields.replaceChildren(
    ...entries.flatMap(([name, value]) => [cell('dt', name), cell('dd', pretty(value))]),
  );
  fields.hidden = false;
  summary.textContent = `${entries.length} fields, the conversation among them.`;
});

form.addEventListener('reset', () => {
  fields.hidden = true;
  summary.textContent = 'Nothing yet. This page keeps it to itself.';
});

/** The transcript is JSON: on lines of its own it is easier to read. */
function pretty(value: FormDataEntryValue): string {
  const text = String(value);
  return text.startsWith('[') ? JSON.stringify(JSON.parse(text), null, 2) : text;
}

function cell(tag: 'dt' | 'dd', text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
