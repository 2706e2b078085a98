import {html} from 'lit';
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

function onKeydown(event: KeyboardEvent, {submitOn, onSend}: ComposerView): void {
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
