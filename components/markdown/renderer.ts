import {Attr, Token} from 'streaming-markdown';
import type {Renderer} from 'streaming-markdown';
import {strings} from '../localize/index.ts';
import {safeUrl} from './safe-url.ts';

/** Told of a code block that is complete. */
export type CodeListener = (code: HTMLElement, language: string) => void;

/** Elements of tokens that need no more than that. Headings begin below those of a page. */
const elements: Partial<Record<Token, string>> = {
  [Token.Blockquote]: 'blockquote',
  [Token.Paragraph]: 'p',
  [Token.Line_Break]: 'br',
  [Token.Rule]: 'hr',
  [Token.Heading_1]: 'h3',
  [Token.Heading_2]: 'h4',
  [Token.Heading_3]: 'h5',
  [Token.Heading_4]: 'h6',
  [Token.Heading_5]: 'h6',
  [Token.Heading_6]: 'h6',
  [Token.Italic_Ast]: 'em',
  [Token.Italic_Und]: 'em',
  [Token.Strong_Ast]: 'strong',
  [Token.Strong_Und]: 'strong',
  [Token.Strike]: 's',
  [Token.Code_Inline]: 'code',
  [Token.List_Unordered]: 'ul',
  [Token.List_Ordered]: 'ol',
  [Token.List_Item]: 'li',
  [Token.Equation_Block]: 'code',
  [Token.Equation_Inline]: 'code',
};

const links: readonly Token[] = [Token.Link, Token.Raw_URL, Token.Image];
const codeBlocks: readonly Token[] = [Token.Code_Block, Token.Code_Fence];

/** A place that is being written to. */
interface Open {
  readonly token: Token;
  readonly element: HTMLElement;
}

interface Data {
  readonly open: Open[];
  readonly onCode: CodeListener;
}

/**
 * Makes elements of Markdown, text as text: nothing that a model writes becomes HTML. Links lead to the web or to mail; images are
 * links to them, so that nothing is requested before somebody wants it.
 */
export function markdownRenderer(root: HTMLElement, onCode: CodeListener): Renderer<Data> {
  return {
    data: {open: [{token: Token.Document, element: root}], onCode},
    add_token: addToken,
    end_token: endToken,
    add_text: addText,
    set_attr: setAttribute,
  };
}

function addToken({open}: Data, token: Token): void {
  // The document is there already.
  if (token === Token.Document) return;
  open.push({token, element: elementOf(token, current(open))});
}

function endToken({open, onCode}: Data): void {
  const {token, element} = open.length > 1 ? (open.pop() as Open) : current(open);
  if (codeBlocks.includes(token)) onCode(element, element.dataset.language ?? '');
}

function addText({open}: Data, text: string): void {
  current(open).element.append(text);
}

function setAttribute({open}: Data, attribute: Attr, value: string): void {
  const {element} = current(open);
  switch (attribute) {
    case Attr.Href:
    case Attr.Src: {
      const url = safeUrl(value);
      if (url !== null) setLink(element, url);
      return;
    }
    case Attr.Lang:
      setLanguage(element, value);
      return;
    case Attr.Checked:
      element.toggleAttribute('checked', true);
      return;
    case Attr.Start:
      if (/^\d{1,9}$/.test(value)) element.setAttribute('start', value);
      return;
  }
}

function current(open: readonly Open[]): Open {
  return open[open.length - 1] as Open;
}

function elementOf(token: Token, {token: parentToken, element: parent}: Open): HTMLElement {
  if (links.includes(token)) return append(parent, 'a');
  if (codeBlocks.includes(token)) return appendCode(parent);
  switch (token) {
    case Token.Checkbox: {
      const box = append(parent, 'input') as HTMLInputElement;
      box.type = 'checkbox';
      box.disabled = true;
      return box;
    }
    case Token.Table: {
      const frame = append(parent, 'div');
      frame.className = 'table';
      // Wide tables scroll, by keyboard, too.
      frame.tabIndex = 0;
      frame.role = 'region';
      frame.ariaLabel = strings.table;
      return append(frame, 'table');
    }
    case Token.Table_Row:
      return append(sectionOf(parent), 'tr');
    case Token.Table_Cell:
      return append(parent, parentToken === Token.Table_Row && parent.closest('thead') ? 'th' : 'td');
    default:
      return append(parent, elements[token] ?? 'span');
  }
}

/** The first row of a table is its head. */
function sectionOf(table: HTMLElement): HTMLElement {
  const {length} = table.children;
  if (length === 0) return append(table, 'thead');
  return length === 1 ? append(table, 'tbody') : (table.lastElementChild as HTMLElement);
}

function appendCode(parent: HTMLElement): HTMLElement {
  const block = append(parent, 'div');
  block.className = 'code-block';
  block.part.add('code');
  const bar = append(block, 'div');
  bar.className = 'code-bar';
  const language = append(bar, 'span');
  language.className = 'code-language';
  language.part.add('code-language');
  const copy = append(bar, 'button') as HTMLButtonElement;
  copy.type = 'button';
  copy.className = 'button quiet copy-code';
  copy.part.add('button', 'copy-code-button');
  copy.textContent = strings.copy;
  const pre = append(block, 'pre');
  pre.tabIndex = 0;
  return append(pre, 'code');
}

function setLanguage(code: HTMLElement, language: string): void {
  const name = language.trim().split(/\s/)[0] ?? '';
  code.dataset.language = name;
  const label = code.closest('.code-block')?.querySelector('.code-language');
  if (label) label.textContent = name;
}

function setLink(element: HTMLElement, url: string): void {
  if (!(element instanceof HTMLAnchorElement)) return;
  element.href = url;
  element.target = '_blank';
  element.rel = 'noopener noreferrer nofollow';
  element.part.add('link');
}

function append(parent: HTMLElement, name: string): HTMLElement {
  return parent.appendChild(document.createElement(name));
}
