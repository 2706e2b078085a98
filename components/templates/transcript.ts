import {html, nothing} from 'lit';
import type {TemplateResult} from 'lit';
import {guard} from 'lit/directives/guard.js';
import {repeat} from 'lit/directives/repeat.js';
import {strings} from '../localize/index.ts';
import type {TranscriptMessage} from '../session-types.ts';
import {markdownBody} from '../markdown/markdown-body.ts';
import type {CodeListener} from '../markdown/renderer.ts';
import {againIcon, copyIcon, downIcon, editIcon} from './icons.ts';
import {textBody} from './text-body.ts';

export interface TranscriptView {
  readonly messages: readonly TranscriptMessage[];
  readonly generating: boolean;
  readonly canRegenerate: boolean;
  /** Whether the end of the transcript is out of sight. */
  readonly away: boolean;
  /** Whether something else has the stage. */
  readonly hidden: boolean;
  readonly onScroll: () => void;
  readonly onToEnd: () => void;
  readonly onRegenerate: () => void;
  readonly onClick: (event: MouseEvent) => void;
  readonly onCopy: (message: TranscriptMessage, button: HTMLElement) => void;
  readonly onEdit: (message: TranscriptMessage) => void;
  /** Whether messages can be edited now. */
  readonly canEdit: boolean;
  /** Whether answers are shown as they were written. */
  readonly plain: boolean;
  readonly onCode: CodeListener;
}

/** The messages. `aria-live` is off: a screen reader hears whole messages from the status region, not each token. */
export function transcript(view: TranscriptView): TemplateResult {
  const {messages, generating} = view;
  return html`
    <div class="stage" ?hidden=${view.hidden}>
      <div
        part="transcript"
        class="log"
        role="log"
        tabindex="0"
        aria-live="off"
        aria-busy=${String(generating)}
        aria-label=${strings.transcript}
        @scroll=${view.onScroll}
        @click=${view.onClick}
      >
        <slot name="empty" ?hidden=${messages.length > 0}><p class="empty">${strings.empty}</p></slot>
        ${repeat(
          messages,
          ({id}) => id,
          (message, index) => {
            const growing = generating && index === messages.length - 1;
            return guard([message, growing, view.plain, view.canEdit], () =>
              messageTemplate(message, growing, view),
            );
          },
        )}
        ${view.canRegenerate ? regenerateButton(view.onRegenerate) : nothing}
      </div>
      ${view.away ? toEndButton(view.onToEnd) : nothing}
    </div>
  `;
}

function messageTemplate(message: TranscriptMessage, growing: boolean, view: TranscriptView): TemplateResult {
  const {plain, onCode} = view;
  const note = growing ? null : noteOf(message);
  const role = message.role === 'user' || message.role === 'assistant' ? message.role : 'system';
  return html`
    <article
      part="message message-${role}"
      class="message ${role}"
      aria-label=${authorOf(message)}
      data-id=${message.id}
      ?data-growing=${growing}
    >
      ${message.reasoning ? reasoningTemplate(message.reasoning, growing && message.content === '') : nothing}
      ${
        isMarkdown(message, plain)
          ? html`<div
              part="message-body"
              class="body markdown"
              dir="auto"
              ${markdownBody(shownText(message), {growing, onCode})}
            ></div>`
          : html`<div part="message-body" class="body" dir="auto" ${textBody(shownText(message))}></div>`
      }
      ${note === null ? nothing : html`<p part="message-note" class="note">${note}</p>`}
      ${growing ? nothing : actionsTemplate(message, view)}
    </article>
  `;
}

/** What can be done with a message: quiet, until somebody comes near. */
function actionsTemplate(
  message: TranscriptMessage,
  {canEdit, onCopy, onEdit}: TranscriptView,
): TemplateResult | typeof nothing {
  if (message.role === 'assistant') {
    return html`<div class="actions">
      <button
        part="button copy-button"
        class="button quiet"
        type="button"
        aria-label=${strings.copyAnswer}
        @click=${(event: Event) => onCopy(message, event.currentTarget as HTMLElement)}
      >
        ${copyIcon} <span>${strings.copy}</span>
      </button>
    </div>`;
  }
  if (message.role !== 'user' || !canEdit) return nothing;
  return html`<div class="actions">
    <button
      part="button edit-button"
      class="button quiet"
      type="button"
      aria-label=${strings.editMessage}
      @click=${() => onEdit(message)}
    >
      ${editIcon} <span>${strings.edit}</span>
    </button>
  </div>`;
}

/** What the model thinks, folded: it is long, and not the answer. */
function reasoningTemplate(reasoning: string, growing: boolean): TemplateResult {
  return html`
    <details part="message-reasoning" class="reasoning">
      <summary>${growing ? strings.thinking : strings.thoughts}</summary>
      <div class="body" dir="auto" ${textBody(reasoning)}></div>
    </details>
  `;
}

/** What people write is shown as they wrote it. */
export function isMarkdown({role}: TranscriptMessage, plain: boolean): boolean {
  return role === 'assistant' && !plain;
}

/** Many tokenizers begin an answer with a space, which is no part of what it says. */
export function shownText({role, content}: TranscriptMessage): string {
  return role === 'assistant' ? content.trimStart() : content;
}

function authorOf({role}: TranscriptMessage): string {
  if (role === 'user') return strings.you;
  return role === 'assistant' ? strings.assistant : strings.system;
}

/** How an answer ended, where it did not end by itself. */
function noteOf({finishReason}: TranscriptMessage): string | null {
  switch (finishReason) {
    case 'cancelled':
      return strings.stopped;
    case 'length':
      return strings.lengthReached;
    case 'context-full':
      return strings.contextFull;
    case 'error':
      return strings.cutShort;
    case 'stop':
    default:
      return null;
  }
}

function regenerateButton(onRegenerate: () => void): TemplateResult {
  return html`
    <button part="button regenerate-button" class="button quiet" type="button" @click=${onRegenerate}>
      ${againIcon} ${strings.regenerate}
    </button>
  `;
}

function toEndButton(onToEnd: () => void): TemplateResult {
  return html`
    <button
      part="button scroll-button"
      class="button round to-end"
      type="button"
      aria-label=${strings.toEnd}
      title=${strings.toEnd}
      @click=${onToEnd}
    >
      ${downIcon}
    </button>
  `;
}
