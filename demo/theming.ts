import '../components/define.ts'; // On your site: 'gguf-chat/define.js'

const chat = document.querySelector('gguf-chat')!;
const form = document.querySelector('form')!;
const source = document.querySelector('#source')!;

/** One style element a theme: the chosen one is in force, and shown. */
function apply(): void {
  const chosen = new FormData(form);
  for (const style of document.querySelectorAll('style')) {
    style.media = style.id === chosen.get('theme') ? 'all' : 'not all';
    if (style.media === 'all') source.textContent = dedented(style.textContent);
  }
  document.documentElement.style.colorScheme = String(chosen.get('scheme'));
}

function dedented(css: string): string {
  const indent = /\n *(?=\S)/.exec(css)?.[0] ?? '\n';
  return css.replaceAll(indent, '\n').trim();
}

form.addEventListener('change', apply);
apply();

// Something to look at before the model is there.
chat.messages = [
  {role: 'user', content: 'Good evening. Who are you?'},
  {
    role: 'assistant',
    content: 'Good evening! I am Pip, a small model that lives in this page.',
    finishReason: 'stop',
  },
  {role: 'user', content: 'And what are you wearing?'},
  {
    role: 'assistant',
    content: 'A few custom properties and two parts. Choose another look above.',
    finishReason: 'stop',
  },
];
