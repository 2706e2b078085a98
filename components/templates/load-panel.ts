import {html, nothing} from 'lit';
import type {TemplateResult} from 'lit';
import {classMap} from 'lit/directives/class-map.js';
import {ifDefined} from 'lit/directives/if-defined.js';
import type {ModelInspection} from '../../worker-runtime/client/index.ts';
import {formatBytes, strings} from '../localize/index.ts';
import type {ChatLoadProgress, ChatStatus} from '../session-types.ts';
import {privateIcon} from './icons.ts';

export interface LoadPanelView {
  readonly status: ChatStatus;
  /** What would be or is loaded, for people; `null` where nothing is named. */
  readonly sourceName: string | null;
  readonly progress: ChatLoadProgress | null;
  /** What the model will take, as far as that is known. */
  readonly inspection: ModelInspection | null;
  /** Whether loading takes long enough to show how it goes. */
  readonly slow: boolean;
  readonly disabled: boolean;
  /** A strip beside other content in place of the whole stage. */
  readonly compact: boolean;
  readonly onLoad: () => void;
  readonly onCancel: () => void;
  /** Somebody may want to load it. */
  readonly onConsider: () => void;
}

/** The way to a model: what will be loaded, the consent to it, the progress, the way back. */
export function loadPanel(view: LoadPanelView): TemplateResult {
  const {status, compact, slow} = view;
  const showProgress = status === 'loading' && slow;
  return html`
    <div
      part="panel"
      class=${classMap({panel: true, strip: compact})}
      @pointerenter=${view.onConsider}
      @focusin=${view.onConsider}
    >
      <slot name="poster" ?hidden=${showProgress || compact}>${poster(status)}</slot>
      ${compact && !showProgress ? html`<p class="title">${stripTitle(status)}</p>` : nothing}
      ${showProgress ? progressReport(view.progress) : nothing}
      ${view.sourceName === null ? nothing : html`<p class="source">${view.sourceName}</p>`}
      ${needs(view.inspection)} ${status === 'empty' ? nothing : panelButton(view, showProgress)}
    </div>
  `;
}

/** What the model takes: to download, of memory. */
function needs(inspection: ModelInspection | null): TemplateResult | typeof nothing {
  if (!inspection?.model) return nothing;
  const {model, fileBytes, stored} = inspection;
  const memory = formatBytes(model.memory.total);
  const download = stored || fileBytes === null ? null : formatBytes(fileBytes);
  return html`<p part="needs" class="detail">
    ${download === null ? strings.onDevice(memory) : strings.toDownload(download, memory)}
  </p>`;
}

function stripTitle(status: ChatStatus): string {
  if (status === 'empty') return strings.noModel;
  return status === 'loading' ? strings.loading : strings.notLoaded;
}

function poster(status: ChatStatus): TemplateResult {
  const empty = status === 'empty';
  return html`
    <div class="emblem">${privateIcon}</div>
    <p class="title">${empty ? strings.noModel : strings.poster}</p>
    <p class="detail">${empty ? strings.noModelDetail : strings.posterDetail}</p>
  `;
}

/** One button for both: the focus stays, and a double click does not cancel what its first half began. */
function panelButton({status, disabled, onLoad, onCancel}: LoadPanelView, cancels: boolean): TemplateResult {
  const idle = disabled || (status === 'loading' && !cancels);
  const act = cancels ? onCancel : onLoad;
  return html`
    <button
      part="button load-button"
      class=${classMap({button: true, primary: !cancels})}
      type="button"
      aria-disabled=${String(idle)}
      @click=${() => (idle ? undefined : act())}
    >
      ${cancels ? strings.cancel : strings.load}
    </button>
  `;
}

function progressReport(progress: ChatLoadProgress | null): TemplateResult {
  return html`
    <p class="title" id="progress-title">${strings.loading}</p>
    <progress
      part="progress"
      max="1"
      value=${ifDefined(progress?.ratio ?? undefined)}
      aria-labelledby="progress-title"
    ></progress>
    <p class="detail">${progressText(progress)}</p>
  `;
}

function progressText(progress: ChatLoadProgress | null): string {
  if (!progress) return strings.starting;
  const {phase, loadedBytes, totalBytes, bytesPerSecond} = progress;
  if (phase === 'waiting') return strings.waitingForTab;
  if (phase === 'warm-up') return strings.warmingUp;
  const loaded = formatBytes(loadedBytes);
  if (totalBytes === null) return loaded;
  const ofAll = strings.loadedOf(loaded, formatBytes(totalBytes));
  if (!bytesPerSecond) return ofAll;
  return strings.atRate(
    ofAll,
    formatBytes(bytesPerSecond),
    timeLeft((totalBytes - loadedBytes) / bytesPerSecond),
  );
}

function timeLeft(seconds: number): string {
  return seconds < 90 ? strings.seconds(Math.ceil(seconds)) : strings.minutes(Math.round(seconds / 60));
}
