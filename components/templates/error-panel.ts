import {html} from 'lit';
import type {TemplateResult} from 'lit';
import {classMap} from 'lit/directives/class-map.js';
import type {GgufError} from '../../worker-runtime/client/index.ts';
import {strings} from '../localize/index.ts';
import {warningIcon} from './icons.ts';

export interface ErrorPanelView {
  readonly error: GgufError;
  readonly compact: boolean;
  /** Whether loading again is what may help. */
  readonly canRetry: boolean;
  readonly onRetry: () => void;
  readonly onDismiss: () => void;
}

/** What went wrong in plain words, and its number and name to search for. */
export function errorPanel({error, compact, canRetry, onRetry, onDismiss}: ErrorPanelView): TemplateResult {
  return html`
    <div part="error" class=${classMap({panel: true, danger: true, strip: compact})}>
      <div class="emblem">${warningIcon}</div>
      <div class="words" role="alert">
        <p class="title">${strings.errorTitle(error.name, error.stage)}</p>
        <p class="detail">${error.message}</p>
        <p class="code">${strings.errorCode(error.code, error.name)}</p>
      </div>
      <button
        part="button retry-button"
        class="button"
        type="button"
        @click=${canRetry ? onRetry : onDismiss}
      >
        ${canRetry ? strings.retry : strings.dismiss}
      </button>
    </div>
  `;
}
