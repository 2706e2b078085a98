import {html, nothing} from 'lit';
import type {TemplateResult} from 'lit';
import {live} from 'lit/directives/live.js';
import {strings} from '../localize/index.ts';
import {sendIcon, stopIcon} from './icons.ts';

/** Which key sends: Enter (Shift+Enter breaks the line), or Enter with Ctrl or ⌘ (Enter alone breaks the line). */
export type SubmitOn = 'enter' | 'mod-enter';

export interface ComposerView {
  readonly draft: string;
  readonly placeholder: string;
  readonly submitOn: SubmitOn;
  readonly disabled: boolean;
  readonly canSend: boolean;
  readonly generating: boolean;
  readonly onDraft: (draft: string) => void;
  readonly onSend: () => void;
  readonly onStop: () => void;
  /** Whether the draft takes the place of a message. */
  readonly editing: boolean;
  readonly onCancelEdit: () => void;
  /** The arrow up in an empty field. */
  readonly onEditLast: () => void;
}

/**
 * Where messages are written. Send and stop are one button in one place: it keeps the focus, and is never `disabled`,
 * which would drop it.
 */
export function composer(view: ComposerView): TemplateResult {
  const {draft, generating, canSend, onSend, onStop} = view;
  const label = generating ? strings.stop : strings.send;
  const act = generating ? onStop : onSend;
  return html`
    ${view.editing ? editNote(view.onCancelEdit) : nothing}
    <div part="composer" class="composer">
      <slot name="composer-start"></slot>
      <div class="grow" data-draft=${draft}>
        <textarea
          part="input"
          rows="1"
          dir="auto"
          .value=${live(draft)}
          ?disabled=${view.disabled}
          placeholder=${view.placeholder}
          aria-label=${strings.message}
          enterkeyhint=${view.submitOn === 'enter' ? 'send' : 'enter'}
          @input=${(event: InputEvent) => view.onDraft((event.target as HTMLTextAreaElement).value)}
          @keydown=${(event: KeyboardEvent) => onKeydown(event, view)}
        ></textarea>
      </div>
      <slot name="composer-end"></slot>
      <button
        part="button ${generating ? 'stop-button' : 'send-button'}"
        class="button round primary"
        type="button"
        aria-label=${label}
        title=${label}
        aria-disabled=${String(!generating && !canSend)}
        @click=${act}
      >
        ${generating ? stopIcon : sendIcon}
      </button>
    </div>
  `;
}

function editNote(onCancel: () => void): TemplateResult {
  return html`
    <p part="edit-note" class="edit-note">
      <span>${strings.editing}</span>
      <button part="button" class="button quiet" type="button" @click=${onCancel}>
        ${strings.cancelEdit}
      </button>
    </p>
  `;
}

function onKeydown(event: KeyboardEvent, {draft, submitOn, onSend, onEditLast}: ComposerView): void {
  const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === 'ArrowUp' && draft === '' && isPlain && !isComposing(event)) {
    event.preventDefault();
    onEditLast();
    return;
  }
  if (event.key !== 'Enter' || isComposing(event)) return;
  const modified = event.ctrlKey || event.metaKey;
  if (submitOn === 'enter' ? event.shiftKey || event.altKey : !modified) return;
  event.preventDefault();
  onSend();
}

/**
 * Whether the key belongs to an input method. Safari ends the composition before the keydown of the Enter that confirms
 * it, so `isComposing` is false there already; its key code is still 229.
 */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
