/**
 * The error registry: every error that leaves the runtime has a stable number, a stable name and a stage.
 * Numbers are never reused. `docs/errors.md` is generated from this table.
 */

/** The part of the system in which an error arose. */
export type ErrorStage = 'protocol' | 'network' | 'storage' | 'format' | 'unsupported' | 'memory' | 'compute';

interface ErrorEntry {
  readonly code: number;
  readonly stage: ErrorStage;
  /** Whether the same runtime goes on working after this error. */
  readonly recoverable: boolean;
  /** What the error means and what helps, for `docs/errors.md`. */
  readonly help: string;
}

export const errorRegistry = {
  // 1xx: the protocol and the arguments of commands
  'invalid-message': {
    code: 100,
    stage: 'protocol',
    recoverable: true,
    help: 'The Worker was sent something that is not a request of this protocol version.',
  },
  'not-booted': {code: 101, stage: 'protocol', recoverable: true, help: 'A command came before `boot`.'},
  'stale-handle': {
    code: 102,
    stage: 'protocol',
    recoverable: true,
    help: 'The model, sequence or run that the handle names is gone. Ask for the current one.',
  },
  'no-model': {
    code: 103,
    stage: 'protocol',
    recoverable: true,
    help: 'The command needs a model and none is resident. Load one first.',
  },
  'invalid-setting': {
    code: 104,
    stage: 'protocol',
    recoverable: true,
    help: 'A setting is out of its range; the message names it. The settings before stay in force.',
  },
  'invalid-prompt': {
    code: 105,
    stage: 'protocol',
    recoverable: true,
    help: 'The prompt, the messages or the tokens are not usable; the message says why.',
  },
  'prompt-too-long': {
    code: 106,
    stage: 'protocol',
    recoverable: true,
    help: 'The prompt does not fit the context. Shorten it, or load the model with a larger context.',
  },
  'load-aborted': {
    code: 107,
    stage: 'protocol',
    recoverable: true,
    help: 'The load was cancelled, or a newer load took its place. The model before stays resident.',
  },
  'sequence-busy': {
    code: 108,
    stage: 'protocol',
    recoverable: true,
    help: 'The sequence is generating. Cancel or await the run first.',
  },
  terminated: {
    code: 109,
    stage: 'protocol',
    recoverable: false,
    help: 'The runtime was terminated while the command was under way.',
  },
  'worker-failed': {
    code: 110,
    stage: 'protocol',
    recoverable: false,
    help: 'The Worker could not be started or died. A Content-Security-Policy without `worker-src blob:` needs the `worker-src` attribute.',
  },
  'protocol-version': {
    code: 111,
    stage: 'protocol',
    recoverable: false,
    help: 'Page script and Worker script come from different releases. Serve both from the same one.',
  },
  'invalid-source': {
    code: 112,
    stage: 'protocol',
    recoverable: true,
    help: 'The model source is not a usable URL, Blob or ArrayBuffer.',
  },
  'unsuitable-model': {
    code: 113,
    stage: 'protocol',
    recoverable: true,
    help: 'The resident model cannot do this: an encoder does not generate, and a model whose file names no pooling makes embeddings only where `pooling` is given.',
  },

  // 2xx: the network
  'network-failed': {
    code: 200,
    stage: 'network',
    recoverable: true,
    help: 'The request failed: offline, refused, or forbidden by CORS or a Content-Security-Policy.',
  },
  'network-status': {
    code: 201,
    stage: 'network',
    recoverable: true,
    help: 'The server answered with an HTTP error status.',
  },
  'network-truncated': {
    code: 202,
    stage: 'network',
    recoverable: true,
    help: 'The connection ended before the whole file had arrived.',
  },
  'network-changed': {
    code: 203,
    stage: 'network',
    recoverable: true,
    help: 'The file on the server changed while it was downloaded. Load it again: it is downloaded anew.',
  },

  // 3xx: files and the store
  'file-unreadable': {
    code: 300,
    stage: 'storage',
    recoverable: true,
    help: 'The file or Blob could not be read; it may have been moved or changed.',
  },
  'integrity-mismatch': {
    code: 301,
    stage: 'storage',
    recoverable: true,
    help: 'The file does not have the SHA-256 that `integrity` or its registry names. It is not used, and not kept.',
  },
  'storage-full': {
    code: 302,
    stage: 'storage',
    recoverable: true,
    help: 'The browser grants this site too little storage for the model. Remove stored models, free disk space, or load it with `without-cache`. What was stored before is still there.',
  },
  'storage-failed': {
    code: 303,
    stage: 'storage',
    recoverable: true,
    help: 'The browser could not read or write its storage. Load the model again, or with `without-cache`.',
  },
  'storage-busy': {
    code: 304,
    stage: 'storage',
    recoverable: true,
    help: 'The stored model is in use or being downloaded, in this tab or another one. Unload it there first.',
  },

  // 4xx: the GGUF file
  'not-gguf': {
    code: 400,
    stage: 'format',
    recoverable: true,
    help: 'The file does not begin with the GGUF magic. Often it is an HTML page: check the URL.',
  },
  'gguf-version': {
    code: 401,
    stage: 'format',
    recoverable: true,
    help: 'The GGUF version is not 2 or 3 (or the file is big endian).',
  },
  'gguf-truncated': {
    code: 402,
    stage: 'format',
    recoverable: true,
    help: 'The file ends inside its header or its tensors.',
  },
  'gguf-limit': {
    code: 403,
    stage: 'format',
    recoverable: true,
    help: 'A count, length or dimension in the file is beyond every real model, so the file is taken to be damaged.',
  },
  'gguf-metadata': {
    code: 404,
    stage: 'format',
    recoverable: true,
    help: 'A metadata key is malformed, given twice, of the wrong type or holds an impossible value; the message names it.',
  },
  'gguf-tensor-info': {
    code: 405,
    stage: 'format',
    recoverable: true,
    help: 'A tensor is described wrongly (shape, offset, alignment, overlap, duplicate); the message names it.',
  },
  'missing-key': {
    code: 406,
    stage: 'format',
    recoverable: true,
    help: 'A metadata key that the architecture needs is missing.',
  },
  'missing-tensor': {
    code: 407,
    stage: 'format',
    recoverable: true,
    help: 'A tensor that the architecture needs is missing.',
  },
  'tensor-shape': {
    code: 408,
    stage: 'format',
    recoverable: true,
    help: 'A tensor has another shape than the metadata demand.',
  },
  'tokenizer-invalid': {
    code: 409,
    stage: 'format',
    recoverable: true,
    help: 'The vocabulary in the file contradicts itself.',
  },
  'chat-template': {
    code: 410,
    stage: 'format',
    recoverable: true,
    help: 'The chat template failed, refused the messages, or took too long.',
  },

  // 5xx: what we cannot do
  'unsupported-architecture': {
    code: 500,
    stage: 'unsupported',
    recoverable: true,
    help: 'The model architecture is not supported; the message names it.',
  },
  'unsupported-tensor-type': {
    code: 501,
    stage: 'unsupported',
    recoverable: true,
    help: 'A tensor has a quantisation that is not supported; the message names both.',
  },
  'unsupported-tokenizer': {
    code: 502,
    stage: 'unsupported',
    recoverable: true,
    help: 'The tokenizer kind or pre-tokenizer is not supported; the message names it.',
  },
  'unsupported-feature': {
    code: 503,
    stage: 'unsupported',
    recoverable: true,
    help: 'The file or the command asks for something that is not supported; the message names it.',
  },
  'unsupported-browser': {
    code: 504,
    stage: 'unsupported',
    recoverable: false,
    help: "The browser lacks WebAssembly with 128-bit SIMD, or the page's Content-Security-Policy lacks `wasm-unsafe-eval`.",
  },

  // 6xx: memory
  'memory-plan': {
    code: 600,
    stage: 'memory',
    recoverable: true,
    help: 'The model with this context needs more than WebAssembly can address (4 GiB). Use a smaller context or a smaller quantisation.',
  },
  'memory-refused': {
    code: 601,
    stage: 'memory',
    recoverable: true,
    help: 'The browser refused the memory. Close tabs, or use a smaller context or a smaller quantisation.',
  },

  // 7xx: computing
  'compute-failed': {
    code: 700,
    stage: 'compute',
    recoverable: false,
    help: 'The WebAssembly core trapped. This is a defect: please report it with the model file.',
  },
  'logits-not-finite': {
    code: 701,
    stage: 'compute',
    recoverable: true,
    help: 'The model gave NaN or infinite logits or embeddings; the file is probably damaged.',
  },
  'shard-failed': {
    code: 703,
    stage: 'compute',
    recoverable: true,
    help: 'A Worker that held a part of the model has ended: the browser may have run out of memory. Load the model again.',
  },
  internal: {
    code: 702,
    stage: 'compute',
    recoverable: false,
    help: 'An unforeseen failure inside the runtime. This is a defect: please report it.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorRegistry;

/** The structured-clone form of a {@link GgufError}: what an `error` response carries. */
export interface ErrorData {
  readonly code: number;
  readonly name: ErrorName;
  readonly stage: ErrorStage;
  readonly message: string;
  readonly recoverable: boolean;
  /** The metadata key, tensor, setting or URL that the error is about. */
  readonly field?: string;
}

/**
 * Every error that the runtime gives to its user.
 *
 * `message` reads `"<what happened>"`; `toString()` adds number and name, so that both can be shown and searched for.
 */
export class GgufError extends Error {
  override readonly name: ErrorName;
  readonly code: number;
  readonly stage: ErrorStage;
  readonly recoverable: boolean;
  readonly field: string | undefined;

  constructor(name: ErrorName, message: string, options: {field?: string | undefined; cause?: unknown} = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    const entry = errorRegistry[name];
    this.name = name;
    this.code = entry.code;
    this.stage = entry.stage;
    this.recoverable = entry.recoverable;
    this.field = options.field;
  }

  override toString(): string {
    return `${this.message} (${this.code} ${this.name})`;
  }

  toData(): ErrorData {
    const {code, name, stage, message, recoverable, field} = this;
    return {code, name, stage, message, recoverable, ...(field === undefined ? {} : {field})};
  }

  static fromData(data: ErrorData): GgufError {
    // A Worker script of a newer release may know names that this one does not.
    if (!Object.hasOwn(errorRegistry, data.name)) {
      return new GgufError('internal', `${data.message} (${data.code} ${data.name})`, {field: data.field});
    }
    return new GgufError(data.name, data.message, {field: data.field});
  }

  /** Wraps whatever was thrown; a `GgufError` stays itself. */
  static from(thrown: unknown): GgufError {
    if (thrown instanceof GgufError) return thrown;
    const name = thrown instanceof WebAssembly.RuntimeError ? 'compute-failed' : 'internal';
    return new GgufError(name, thrown instanceof Error ? thrown.message : String(thrown), {cause: thrown});
  }
}
