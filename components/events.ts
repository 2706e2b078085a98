import type {
  GenerateResult,
  GgufError,
  ModelInfo,
  ModelInspection,
  TokenEvent,
} from '../worker-runtime/client/index.ts';
import type {
  ChatLoadProgress,
  ChatModelSource,
  ChatStatus,
  SendOptions,
  TranscriptMessage,
} from './session-types.ts';

const audible = {bubbles: true, composed: true} as const;
const request = {...audible, cancelable: true} as const;
/** Once per token or chunk: neither bubbles nor leaves the shadow tree, since walking the path each time would cost. */
const frequent = {bubbles: false, composed: false} as const;

/** Before a model is loaded. Cancel it and nothing is loaded. */
export class GgufBeforeLoadEvent extends Event {
  constructor(
    /**
     * `src` is the URL, `null` for a file or a buffer. `plan` is what the model is and takes, from its header; `null` for a buffer, and
     * where the header could not be read.
     */
    readonly detail: {
      readonly src: string | null;
      readonly source: ChatModelSource;
      readonly plan: ModelInspection | null;
    },
  ) {
    super('gguf-before-load', request);
  }
}

/** While a model is loaded. */
export class GgufProgressEvent extends Event {
  constructor(readonly detail: ChatLoadProgress) {
    super('gguf-progress', frequent);
  }
}

/** A model is resident and can be talked to. */
export class GgufLoadEvent extends Event {
  constructor(readonly detail: {readonly model: ModelInfo}) {
    super('gguf-load', audible);
  }
}

/** The model was freed. */
export class GgufUnloadEvent extends Event {
  constructor(readonly detail: {readonly freedBytes: number}) {
    super('gguf-unload', audible);
  }
}

/** Before a message is sent. Cancel it to answer otherwise, by setting `messages`. */
export class GgufSendEvent extends Event {
  constructor(readonly detail: {readonly text: string; readonly options: SendOptions}) {
    super('gguf-send', request);
  }
}

/** A whole message: one that was sent, or an answer that has ended. */
export class GgufMessageEvent extends Event {
  constructor(readonly detail: {readonly message: TranscriptMessage}) {
    super('gguf-message', audible);
  }
}

/** An answer begins; `message` is still empty. */
export class GgufGenerateStartEvent extends Event {
  constructor(readonly detail: {readonly message: TranscriptMessage}) {
    super('gguf-generate-start', audible);
  }
}

/** A token; `message` is the answer up to it. */
export class GgufTokenEvent extends Event {
  constructor(readonly detail: {readonly token: TokenEvent; readonly message: TranscriptMessage}) {
    super('gguf-token', frequent);
  }
}

/** An answer has ended, by itself or stopped; `result` has tokens, usage and timings. */
export class GgufGenerateEndEvent extends Event {
  constructor(readonly detail: {readonly message: TranscriptMessage; readonly result: GenerateResult}) {
    super('gguf-generate-end', audible);
  }
}

/** A link in an answer was clicked. Cancel it to do something else than to open it. */
export class GgufLinkEvent extends Event {
  constructor(readonly detail: {readonly href: string}) {
    super('gguf-link', request);
  }
}

/** The status is another one. */
export class GgufStatusEvent extends Event {
  constructor(readonly detail: {readonly status: ChatStatus; readonly previous: ChatStatus}) {
    super('gguf-status', audible);
  }
}

/** Something failed; `error` has a number, a name and a message. */
export class GgufErrorEvent extends Event {
  constructor(readonly detail: {readonly error: GgufError}) {
    super('gguf-error', audible);
  }
}

declare global {
  interface HTMLElementEventMap {
    'gguf-before-load': GgufBeforeLoadEvent;
    'gguf-progress': GgufProgressEvent;
    'gguf-load': GgufLoadEvent;
    'gguf-unload': GgufUnloadEvent;
    'gguf-send': GgufSendEvent;
    'gguf-message': GgufMessageEvent;
    'gguf-generate-start': GgufGenerateStartEvent;
    'gguf-token': GgufTokenEvent;
    'gguf-generate-end': GgufGenerateEndEvent;
    'gguf-status': GgufStatusEvent;
    'gguf-link': GgufLinkEvent;
    'gguf-error': GgufErrorEvent;
  }
}
