import {html, svg} from 'lit';
import type {SVGTemplateResult, TemplateResult} from 'lit';

/** Line drawings on a grid of 24, in the colour of the text around them. */
function icon(shapes: SVGTemplateResult): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shapes}</svg>`;
}

export const sendIcon = icon(svg`<path d="M12 19V5M6 11l6-6 6 6" />`);
export const stopIcon = icon(svg`<rect class="solid" x="6.5" y="6.5" width="11" height="11" rx="2" />`);
export const downIcon = icon(svg`<path d="M12 5v14M6 13l6 6 6-6" />`);
export const againIcon = icon(svg`<path d="M19 12a7 7 0 1 1-2-4.9M17.5 3v4.5H13" />`);
export const copyIcon = icon(svg`<path d="M9 9h11v11H9ZM5 15H4V4h11v1" />`);
export const editIcon = icon(svg`<path d="M4 20h4L19 9l-4-4L4 16ZM13 7l4 4" />`);
export const newIcon = icon(svg`<path d="M12 5v14M5 12h14" />`);
export const warningIcon = icon(svg`<path d="M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.2" />`);
/** A lock with a speech bubble's tail: a chat that stays here. */
export const privateIcon = icon(svg`<path d="M5 11h14v8H11l-3.5 3v-3H5ZM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11" />`);
