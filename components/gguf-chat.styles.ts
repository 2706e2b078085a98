import {css} from 'lit';

/** Public `--gguf-chat-*` properties are resolved once, here, into the private ones that the rest uses. */
const theme = css`
  :host {
    --_text: var(--gguf-chat-color-text, light-dark(#1d2029, #e7e9f0));
    --_muted: var(--gguf-chat-color-muted, light-dark(#5b6172, #a2a8ba));
    --_background: var(--gguf-chat-color-background, light-dark(#ffffff, #15171e));
    --_surface: var(--gguf-chat-color-surface, light-dark(#f1f3f9, #232733));
    --_border: var(--gguf-chat-color-border, light-dark(#dde0e9, #343948));
    --_control: var(--gguf-chat-color-control, light-dark(#83899b, #757c90));
    --_accent: var(--gguf-chat-color-accent, light-dark(#3a4fc4, #a9b8ff));
    --_on-accent: var(--gguf-chat-color-on-accent, light-dark(#ffffff, #141a3d));
    --_danger: var(--gguf-chat-color-danger, light-dark(#b3261e, #ffb4ab));
    --_font: var(--gguf-chat-font-family, system-ui, sans-serif);
    --_font-size: var(--gguf-chat-font-size, 1rem);
    --_radius: var(--gguf-chat-radius, 1rem);
    --_space: var(--gguf-chat-spacing, 1rem);
    --_line: var(--gguf-chat-line-length, 44rem);
  }
`;

const layout = css`
  :host {
    display: block;
    block-size: 32rem;
    max-block-size: 100%;
    min-inline-size: 0;
    overflow: hidden;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_background);
    color: var(--_text);
    font: var(--_font-size) / 1.55 var(--_font);
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  p {
    margin: 0;
  }
  .base {
    container-type: inline-size;
    display: flex;
    flex-direction: column;
    block-size: 100%;
  }
  .stage {
    position: relative;
    flex: 1;
    min-block-size: 0;
  }
  .log {
    block-size: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: var(--_space) max(var(--_space), (100% - var(--_line)) / 2);
    display: flex;
    flex-direction: column;
    gap: var(--_space);
  }
  .empty {
    margin: auto;
    padding: var(--_space);
    text-align: center;
    text-wrap: balance;
    font-size: 1.2em;
    color: var(--_muted);
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

const messages = css`
  .message {
    max-inline-size: 100%;
  }
  .body {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .user {
    align-self: flex-end;
    max-inline-size: min(85%, 36rem);
    padding: 0.55em 0.95em;
    border-radius: var(--_radius);
    border-end-end-radius: 0.3rem;
    background: var(--_surface);
    border: 1px solid transparent;
  }
  .system {
    padding-inline-start: 0.9em;
    border-inline-start: 3px solid var(--_border);
    color: var(--_muted);
    font-size: 0.9em;
  }
  .reasoning {
    margin-block-end: 0.5em;
    color: var(--_muted);
  }
  .reasoning summary {
    inline-size: fit-content;
    min-block-size: 1.5rem;
    cursor: pointer;
  }
  .markdown {
    white-space: normal;
  }
  .markdown > :first-child {
    margin-block-start: 0;
  }
  .markdown > :last-child {
    margin-block-end: 0;
  }
  .markdown :is(p, ul, ol, blockquote, .table, .code-block, h3, h4, h5, h6) {
    margin-block: 0.6em;
  }
  .markdown :is(h3, h4, h5, h6) {
    font-size: 1em;
    line-height: 1.35;
    margin-block-start: 1em;
  }
  .markdown h3 {
    font-size: 1.2em;
  }
  .markdown h4 {
    font-size: 1.1em;
  }
  .markdown :is(ul, ol) {
    padding-inline-start: 1.5em;
  }
  .markdown li :is(ul, ol, p) {
    margin-block: 0.2em;
  }
  .markdown blockquote {
    margin-inline: 0;
    padding-inline-start: 0.9em;
    border-inline-start: 3px solid var(--_border);
    color: var(--_muted);
  }
  .markdown hr {
    border: 0;
    border-block-start: 1px solid var(--_border);
    margin-block: 1em;
  }
  .markdown a {
    color: var(--_accent);
  }
  .markdown code {
    font-family: ui-monospace, monospace;
    font-size: 0.9em;
  }
  .markdown :not(pre) > code {
    padding: 0.1em 0.3em;
    border-radius: 0.3em;
    background: var(--_surface);
  }
  .code-block {
    border: 1px solid var(--_border);
    border-radius: calc(var(--_radius) * 0.6);
    overflow: clip;
  }
  .code-bar {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 0.15em 0.5em 0.15em 0.9em;
    background: var(--_surface);
    font-size: 0.8125em;
    color: var(--_muted);
  }
  .code-block pre {
    margin: 0;
    padding: 0.75em 0.9em;
    overflow-x: auto;
    direction: ltr;
    text-align: start;
    tab-size: 4;
  }
  .markdown .table {
    overflow-x: auto;
  }
  .markdown table {
    border-collapse: collapse;
  }
  .markdown :is(th, td) {
    padding: 0.3em 0.75em;
    border: 1px solid var(--_border);
    text-align: start;
  }
  .reasoning .body {
    padding-inline-start: 0.75em;
    border-inline-start: 2px solid var(--_border);
  }
  .note {
    margin-block-start: 0.35em;
    font-size: 0.8125em;
    color: var(--_muted);
  }
  .actions {
    display: flex;
    margin-block-start: 0.2em;
    margin-inline-start: -0.4em;
  }
  .user .actions {
    justify-content: flex-end;
    margin-block-end: -0.35em;
    margin-inline-end: -0.5em;
  }
  @media (hover: hover) {
    .actions {
      opacity: 0;
    }
    .message:hover > .actions,
    .actions:focus-within {
      opacity: 1;
    }
  }
  .edit-note {
    display: flex;
    flex-flow: row wrap;
    align-items: center;
    justify-content: space-between;
    inline-size: min(100% - 2 * var(--_space), var(--_line));
    margin: 0 auto 0.4em;
    font-size: 0.8125em;
    color: var(--_muted);
  }
  /* While nothing is written yet: three dots, breathing. */
  .message[data-growing] .body:empty::after {
    content: '';
    display: inline-block;
    inline-size: 2.1em;
    block-size: 0.5em;
    background: radial-gradient(circle closest-side, currentcolor 92%, transparent) 0 / 33.3% 100%;
    color: var(--_muted);
    animation: breathe 1.2s ease-in-out infinite alternate;
  }
  @keyframes breathe {
    from {
      opacity: 0.3;
    }
  }
`;

const panels = css`
  .panel {
    margin: auto;
    padding: calc(1.5 * var(--_space)) var(--_space);
    max-inline-size: 28rem;
    display: flex;
    flex-direction: column;
    align-items: center;
    gap: 0.5em;
    text-align: center;
    text-wrap: balance;
    overflow-y: auto;
  }
  .emblem {
    display: inline-grid;
    place-items: center;
    inline-size: 3.5rem;
    block-size: 3.5rem;
    margin-block-end: 0.5em;
    border-radius: 50%;
    background: color-mix(in srgb, currentcolor 12%, transparent);
    color: var(--_accent);
  }
  .emblem .icon {
    inline-size: 1.9rem;
    block-size: 1.9rem;
  }
  .title {
    font-weight: 600;
    font-size: 1.15em;
    line-height: 1.3;
  }
  .detail,
  .source,
  .code {
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  .source,
  .code {
    font-size: 0.8125em;
  }
  .code {
    font-family: ui-monospace, monospace;
  }
  .panel > .button {
    margin-block-start: 0.75em;
  }
  progress {
    appearance: none;
    inline-size: min(18rem, 100%);
    block-size: 0.5rem;
    margin-block: 0.35em;
    border: none;
    border-radius: 1rem;
    overflow: hidden;
    background: color-mix(in srgb, var(--_accent) 18%, transparent);
  }
  progress::-webkit-progress-bar {
    background: transparent;
  }
  progress::-webkit-progress-value {
    background: var(--_accent);
    border-radius: 1rem;
  }
  progress::-moz-progress-bar {
    background: var(--_accent);
    border-radius: 1rem;
  }
  progress:indeterminate {
    animation: breathe 1.2s ease-in-out infinite alternate;
  }
  .danger {
    --_accent: var(--_danger);
  }

  /* A panel as a strip between the transcript and the composer. */
  .strip {
    flex: none;
    flex-flow: row wrap;
    inline-size: min(100% - 2 * var(--_space), var(--_line));
    max-inline-size: none;
    max-block-size: 40%;
    margin: 0 auto 0.75em;
    padding: 0.6em 0.75em 0.6em 1em;
    gap: 0.35em 1em;
    justify-content: space-between;
    text-align: start;
    text-wrap: wrap;
    border: 1px solid var(--_border);
    border-radius: calc(0.75 * var(--_radius));
  }
  .strip.danger {
    border-color: color-mix(in srgb, var(--_danger) 55%, transparent);
    background: color-mix(in srgb, var(--_danger) 7%, transparent);
  }
  .strip .emblem {
    display: none;
  }
  .strip .title {
    font-size: 1em;
  }
  .strip .detail {
    font-size: 0.9em;
  }
  .words .title {
    margin-block-end: 0.3em;
  }
  .strip .words .title {
    margin-block-end: 0;
  }
  .strip .words {
    flex: 1;
    min-inline-size: min(12rem, 100%);
  }
  .strip > .button {
    margin: 0;
  }
`;

const library = css`
  .library {
    inline-size: min(100% - 2 * var(--_space), var(--_line));
    margin: 0 auto 0.75em;
    font-size: 0.875em;
    color: var(--_muted);
  }
  .library summary {
    cursor: pointer;
    min-block-size: 1.5rem;
  }
  .library ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .library li {
    display: flex;
    align-items: center;
    gap: 0.75em;
    padding-block: 0.25em;
  }
  .stored-name {
    flex: 1;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .stored-size {
    flex: none;
  }
`;

const controls = css`
  .button {
    flex: none;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4em;
    min-block-size: 2.5rem;
    padding: 0 1.15em;
    border: 1px solid var(--_control);
    border-radius: 2rem;
    background: transparent;
    color: inherit;
    font: inherit;
    font-weight: 550;
    cursor: pointer;
    transition:
      background-color 0.15s,
      opacity 0.15s;
  }
  .button:hover {
    background: color-mix(in srgb, currentcolor 8%, transparent);
  }
  .primary {
    border-color: transparent;
    background: var(--_accent);
    color: var(--_on-accent);
  }
  .primary:hover {
    background: color-mix(in srgb, var(--_accent) 88%, var(--_on-accent));
  }
  .button[aria-disabled='true'] {
    cursor: default;
    border-color: transparent;
    background: color-mix(in srgb, var(--_text) 12%, var(--_background));
    color: var(--_muted);
  }
  .quiet {
    align-self: flex-start;
    min-block-size: 1.75rem;
    padding: 0 0.6em 0 0.4em;
    border-color: transparent;
    color: var(--_muted);
    font-size: 0.8125em;
    font-weight: 450;
  }
  .quiet:hover {
    color: var(--_text);
  }
  .log > .quiet {
    margin-block-start: calc(-0.6 * var(--_space));
    margin-inline-start: -0.4em;
  }
  .round {
    inline-size: 2.5rem;
    padding: 0;
  }
  .to-end {
    position: absolute;
    inset-block-end: 0.5rem;
    inset-inline-start: calc(50% - 1.25rem);
    border-color: var(--_border);
    background: var(--_background);
    box-shadow: 0 2px 8px rgb(0 0 0 / 20%);
  }
  .to-end:hover {
    background: var(--_surface);
  }
  .icon {
    inline-size: 1.25rem;
    block-size: 1.25rem;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.8;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .quiet .icon {
    inline-size: 1.1em;
    block-size: 1.1em;
  }
  .icon .solid {
    fill: currentcolor;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .log:focus-visible {
    outline-offset: -2px;
    border-radius: var(--_radius);
  }
`;

const composer = css`
  .composer {
    flex: none;
    display: flex;
    align-items: flex-end;
    gap: 0.4rem;
    inline-size: min(100% - 1.5 * var(--_space), var(--_line));
    margin: 0 auto calc(0.6 * var(--_space));
    padding: 0.3rem;
    border: 1px solid var(--_control);
    border-radius: calc(1.4 * var(--_radius));
  }
  .composer:has(textarea:focus-visible) {
    border-color: var(--_accent);
    outline: 1px solid var(--_accent);
  }
  .composer:has(textarea:disabled) {
    border-color: var(--_border);
    background: var(--_surface);
  }
  /* The textarea lies over a copy of its text, which gives it its height. */
  .grow {
    flex: 1;
    min-inline-size: 0;
    display: grid;
    max-block-size: 9.6em;
    overflow-y: auto;
  }
  .grow::after {
    content: attr(data-draft) ' ';
    visibility: hidden;
  }
  .grow::after,
  textarea {
    grid-area: 1 / 1;
    inline-size: 100%;
    margin: 0;
    padding: 0.45em 0.7em;
    border: none;
    font: inherit;
    line-height: 1.5;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  textarea {
    resize: none;
    overflow: hidden;
    background: transparent;
    color: inherit;
    outline: none;
  }
  textarea::placeholder {
    color: var(--_muted);
    opacity: 1;
    white-space: nowrap;
  }
  .status {
    flex: none;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1em;
    inline-size: min(100% - 2 * var(--_space), var(--_line));
    min-block-size: 1.75rem;
    margin: calc(-0.25 * var(--_space)) auto calc(0.4 * var(--_space));
    font-size: 0.8125em;
    color: var(--_muted);
  }
  .status .quiet {
    font-size: 1em;
  }
  .facts {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .facts span + span::before {
    content: ' · ';
  }
  @container (inline-size < 30rem) {
    .status .quiet {
      align-self: center;
    }
    .facts .model:not(:only-child),
    .facts .model:not(:only-child) + span::before {
      display: none;
    }
  }
`;

const preferences = css`
  @media (prefers-reduced-motion: reduce) {
    *,
    ::before,
    ::after {
      animation: none !important;
      transition: none !important;
    }
  }
  @media (forced-colors: active) {
    .user,
    .button,
    .composer,
    progress {
      border: 1px solid;
    }
    .button[aria-disabled='true'] {
      color: GrayText;
    }
    progress::-webkit-progress-value {
      background: Highlight;
      forced-color-adjust: none;
    }
    progress::-moz-progress-bar {
      background: Highlight;
      forced-color-adjust: none;
    }
    :focus-visible,
    .composer:has(textarea:focus-visible) {
      outline: 2px solid Highlight;
    }
    .message[data-growing] .body:empty::after {
      content: '…';
      background: none;
    }
  }
`;

export const styles = [theme, layout, messages, panels, library, controls, composer, preferences];
