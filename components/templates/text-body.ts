import {noChange} from 'lit';
import {Directive, PartType, directive} from 'lit/directive.js';
import type {ElementPart, PartInfo} from 'lit/directive.js';

/**
 * Makes `text` the only content of `element`, as text. What is there already stays: a longer text costs what was added,
 * and a selection in it survives.
 */
export function setText(element: Element, text: string): void {
  const {firstChild} = element;
  const node = firstChild instanceof Text ? firstChild : element.appendChild(new Text());
  if (node.data === text) return;
  if (text.startsWith(node.data)) node.appendData(text.slice(node.length));
  else node.data = text;
}

class TextBody extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('textBody belongs into the tag of an element');
  }

  override update({element}: ElementPart, [text]: Parameters<this['render']>): unknown {
    setText(element, text);
    return noChange;
  }

  render(text: string): unknown {
    return text;
  }
}

/** {@link setText} as a directive: a template and whoever writes between two renders agree on the content. */
export const textBody = directive(TextBody);
