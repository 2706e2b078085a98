import {GgufLinkEvent} from '../events.ts';
import {strings} from '../localize/index.ts';

/** How long a button says that it has copied. */
const copiedMs = 2000;

/** What code in answers may be shown as: nodes in place of its text, now or later. */
export type HighlightCode = (code: string, language: string) => Node | null | Promise<Node | null>;

/** Clicks on what is inside of answers: links ask the page first, buttons copy code. */
export function onAnswerClick(host: HTMLElement, event: MouseEvent): void {
  const target = event.target as Element;
  const link = target.closest<HTMLAnchorElement>('.body a[href]');
  if (link && !host.dispatchEvent(new GgufLinkEvent({href: link.href}))) event.preventDefault();
  const button = target.closest<HTMLButtonElement>('.copy-code');
  const code = button?.closest('.code-block')?.querySelector('code');
  if (button && code) void copyText(code.textContent ?? '', button);
}

/** Copies a text, and says so in the button, or in the last element inside of it. */
export async function copyText(text: string, control: HTMLElement): Promise<void> {
  const button = control.lastElementChild ?? control;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = strings.copied;
  } catch {
    // The page may not use the clipboard: the code can be selected all the same.
    button.textContent = strings.notCopied;
  }
  setTimeout(() => (button.textContent = strings.copy), copiedMs);
}

/** Shows a complete code block as the page wants it. What it gives late, or fails to give, leaves the text as it is. */
export async function highlight(code: HTMLElement, language: string, hook: HighlightCode): Promise<void> {
  const text = code.textContent ?? '';
  const node = await hook(text, language);
  if (node && code.isConnected && code.textContent === text) code.replaceChildren(node);
}
