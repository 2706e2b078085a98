import {noChange} from 'lit';
import {Directive, PartType, directive} from 'lit/directive.js';
import type {ElementPart, PartInfo} from 'lit/directive.js';
import {parser, parser_end, parser_write} from 'streaming-markdown';
import type {Parser} from 'streaming-markdown';
import {markdownRenderer} from './renderer.ts';
import type {CodeListener} from './renderer.ts';

/** What an element shows, and who goes on writing it. */
interface Written {
  readonly parser: Parser;
  text: string;
  ended: boolean;
}

const written = new WeakMap<Element, Written>();

export interface MarkdownOptions {
  /** Whether more may follow. */
  readonly growing: boolean;
  readonly onCode: CodeListener;
}

/**
 * Makes Markdown the content of `element`, which belongs to it alone. A longer text is written on: what is there already stays, with a
 * selection in it.
 */
export function setMarkdown(element: HTMLElement, text: string, {growing, onCode}: MarkdownOptions): void {
  const before = written.get(element);
  const goesOn = before && !before.ended && text.startsWith(before.text);
  if (before && before.text === text && (before.ended || growing)) return;
  const now = goesOn ? before : begin(element, onCode);
  parser_write(now.parser, text.slice(now.text.length));
  now.text = text;
  if (growing) return;
  parser_end(now.parser);
  now.ended = true;
}

function begin(element: HTMLElement, onCode: CodeListener): Written {
  element.replaceChildren();
  const fresh = {parser: parser(markdownRenderer(element, onCode)), text: '', ended: false};
  written.set(element, fresh);
  return fresh;
}

class MarkdownBody extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('markdownBody belongs into the tag of an element');
  }

  override update({element}: ElementPart, [text, options]: Parameters<this['render']>): unknown {
    setMarkdown(element as HTMLElement, text, options);
    return noChange;
  }

  render(text: string, options: MarkdownOptions): unknown {
    return options.growing ? noChange : text;
  }
}

/** {@link setMarkdown} as a directive: a template and whoever writes between two renders agree on the content. */
export const markdownBody = directive(MarkdownBody);
