import '../components/define.ts'; // On your site: 'gguf-chat/define.js'

type EventName = Extract<keyof HTMLElementEventMap, `gguf-${string}`>;

/** What each event brings, in a few words. */
const describe: {[Name in EventName]: (event: HTMLElementEventMap[Name]) => string} = {
  'gguf-before-load': ({detail}) => detail.src ?? 'a file',
  'gguf-progress': ({detail}) =>
    `${detail.phase}, ${detail.loadedBytes} of ${detail.totalBytes ?? '?'} bytes`,
  'gguf-load': ({detail}) => `${detail.model.architecture}, ${detail.model.parameterCount} parameters`,
  'gguf-unload': ({detail}) => `${detail.freedBytes} bytes freed`,
  'gguf-send': ({detail}) => quote(detail.text),
  'gguf-message': ({detail}) => `${detail.message.role}: ${quote(detail.message.content)}`,
  'gguf-generate-start': ({detail}) => `message ${detail.message.id}`,
  'gguf-token': ({detail}) => quote(detail.token.text),
  'gguf-generate-end': ({detail: {result}}) => `${result.finishReason}, ${result.tokens.length} tokens`,
  'gguf-status': ({detail}) => `${detail.previous} → ${detail.status}`,
  'gguf-link': ({detail}) => detail.href,
  'gguf-error': ({detail}) => `${detail.error.code} ${detail.error.name}: ${detail.error.message}`,
};
const quote = (text: string): string => `“${text.length > 80 ? `${text.slice(0, 80)}…` : text}”`;

const chat = document.querySelector('gguf-chat')!;
const log = document.querySelector('.log')!;
const mostLines = 200;
let last = {name: '', count: 0};
let begin = 0;

/** One line an event; the same event again, as tokens come, is counted on its line. */
function note(name: EventName, words: string): void {
  begin ||= performance.now();
  const following = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const again = last.name === name;
  last = {name, count: again ? last.count + 1 : 1};
  const line = again ? log.lastElementChild! : log.appendChild(document.createElement('li'));
  line.replaceChildren(
    cell('span', `${Math.round(performance.now() - begin)}`),
    cell('code', last.count > 1 ? `${name} × ${last.count}` : name),
    cell('p', words),
  );
  if (log.childElementCount > mostLines) log.firstElementChild?.remove();
  if (following) log.scrollTop = log.scrollHeight;
}

function cell(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function listen<Name extends EventName>(name: Name): void {
  chat.addEventListener(name, (event) => note(name, describe[name](event)));
}
for (const name of Object.keys(describe) as EventName[]) listen(name);

document.querySelector('#clear')!.addEventListener('click', () => {
  log.replaceChildren();
  last = {name: '', count: 0};
  begin = 0;
});
