import type {ErrorName, ErrorStage} from '../../worker-runtime/client/index.ts';

const titleByStage: Record<ErrorStage, string> = {
  network: 'The model could not be downloaded',
  storage: 'The file could not be read',
  format: 'This file cannot be used',
  unsupported: 'This model is not supported',
  memory: 'There is not enough memory for this model',
  compute: 'The model stopped working',
  protocol: 'Something went wrong',
};

const titleByName: Partial<Record<ErrorName, string>> = {
  'invalid-setting': 'A setting is invalid',
  'invalid-prompt': 'This message cannot be sent',
  'prompt-too-long': 'The conversation is too long',
  'chat-template': 'The model does not accept this conversation',
  'unsupported-browser': 'This browser cannot run the model',
  'worker-failed': 'The model could not be started',
  'invalid-source': 'There is no model to load',
};

/** Everything that the element says, in English. */
export const en = {
  chat: 'Chat',
  you: 'You',
  assistant: 'Assistant',
  system: 'Instructions',
  thinking: 'Thinking…',
  thoughts: 'Thoughts',
  required: 'Please say something in this chat.',

  load: 'Load model',
  cancel: 'Cancel',
  poster: 'Private chat',
  posterDetail: 'The model runs on this device. Nothing you write leaves this page.',
  noModel: 'No model yet',
  noModelDetail: 'This page has not set up a model for the chat.',
  notLoaded: 'Model not loaded',
  loading: 'Loading model…',
  starting: 'Starting…',
  warmingUp: 'Almost ready…',
  loadedOf: (loaded: string, total: string) => `${loaded} of ${total}`,
  modelLoaded: 'The model is ready',
  modelFallbackName: 'Model',
  empty: 'What would you like to talk about?',

  transcript: 'Conversation',
  message: 'Message',
  placeholder: 'Write a message',
  send: 'Send',
  stop: 'Stop',
  regenerate: 'Regenerate',
  newChat: 'New chat',
  toEnd: 'Jump to latest message',
  writing: 'Writing…',
  reading: (percent: number) => `Reading ${percent}%`,
  stopped: 'Stopped',
  cutShort: 'Interrupted by an error',
  lengthReached: 'Stopped at the length limit',
  contextFull: 'Out of space. Start a new chat to continue.',

  tokens: (count: string) => `${count} tokens`,
  speed: (perSecond: string) => `${perSecond} tokens/s`,
  context: (used: string, length: string) => `context ${used}/${length}`,

  errorTitle: (name: ErrorName, stage: ErrorStage) => titleByName[name] ?? titleByStage[stage],
  errorCode: (code: number, name: string) => `Error ${code} ${name}`,
  retry: 'Try again',
  dismiss: 'Dismiss',
};
