import {html, nothing} from 'lit';
import type {TemplateResult} from 'lit';
import type {ModelInfo, Timings, Usage} from '../../worker-runtime/client/index.ts';
import {formatNumber, strings} from '../localize/index.ts';
import type {ChatStatus, PrefillProgress} from '../session-types.ts';
import {newIcon} from './icons.ts';

export interface StatusLineView {
  readonly status: ChatStatus;
  readonly model: ModelInfo | null;
  readonly modelName: string | null;
  /** Given while the prompt takes long to read. */
  readonly prefill: PrefillProgress | null;
  readonly usage: Usage | null;
  readonly timings: Timings | null;
  readonly withoutStats: boolean;
  readonly canClear: boolean;
  readonly onNewChat: () => void;
}

/** The model, what it is doing, what the last answer took. */
export function statusLine(view: StatusLineView): TemplateResult {
  const name = view.model ? (view.model.name ?? view.modelName ?? strings.modelFallbackName) : null;
  return html`
    <div part="status" class="status" ?hidden=${name === null && !view.canClear}>
      <p class="facts">
        ${name === null ? nothing : html`<span class="model">${name}</span>`}
        ${factsOf(view).map((fact) => html`<span>${fact}</span>`)}
      </p>
      ${view.canClear ? newChatButton(view.onNewChat) : nothing}
    </div>
  `;
}

function factsOf({status, prefill, usage, timings, withoutStats}: StatusLineView): string[] {
  if (status === 'generating')
    return [prefill ? strings.reading(Math.floor((100 * prefill.done) / prefill.total)) : strings.writing];
  if (withoutStats || !usage || !timings) return [];
  const {completionTokens, contextUsed, contextLength} = usage;
  const speed = tokensPerSecond(completionTokens, timings);
  return [
    strings.tokens(formatNumber(completionTokens)),
    ...(speed === null ? [] : [strings.speed(formatNumber(speed, speed < 10 ? 1 : 0))]),
    strings.context(formatNumber(contextUsed), formatNumber(contextLength)),
  ];
}

/** The time runs from the first token, so that token itself does not count. */
function tokensPerSecond(tokens: number, {decodeMs}: Timings): number | null {
  return tokens < 2 || decodeMs <= 0 ? null : ((tokens - 1) * 1000) / decodeMs;
}

function newChatButton(onNewChat: () => void): TemplateResult {
  return html`
    <button part="button new-chat-button" class="button quiet" type="button" @click=${onNewChat}>
      ${newIcon} ${strings.newChat}
    </button>
  `;
}
