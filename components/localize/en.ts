import type {ErrorName, ErrorStage} from '../../worker-runtime/client/index.ts';

const titleByStage: Record<ErrorStage, string> = {
  network: 'The model could not be downloaded',
  storage: 'The file could not be read',
  format: 'This file cannot be used',
  unsupported: 'This model is not supported',
  memory: 'There is not enough memory for this model',
  compute: 'The model stopped working',
  protocol: 'That did not work',
};

const titleByName: Partial<Record<ErrorName, string>> = {
  'invalid-setting': 'A setting is not valid',
  'invalid-prompt': 'This message cannot be sent',
  'prompt-too-long': 'The conversation is too long',
  'chat-template': 'This conversation does not fit the model',
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

  load: 'Load model',
  cancel: 'Cancel',
  poster: 'Chat in private',
  posterDetail: 'The model runs on this device. Nothing you write leaves this page.',
  noModel: 'No model yet',
  noModelDetail: 'This page has not chosen a model for the chat.',
  notLoaded: 'The model is not loaded',
  loading: 'Loading the model',
  starting: 'Starting',
  warmingUp: 'Almost done',
  loadedOf: (loaded: string, total: string) => `${loaded} of ${total}`,
  modelLoaded: 'The model is ready',
  modelFallbackName: 'Model',
  empty: 'What would you like to talk about?',

  transcript: 'Conversation',
  message: 'Message',
  placeholder: 'Write a message',
  send: 'Send',
  stop: 'Stop',
  regenerate: 'Write again',
  newChat: 'New chat',
  toEnd: 'To the newest message',
  writing: 'Writing',
  reading: (percent: number) => `Reading ${percent} %`,
  stopped: 'Stopped',
  cutShort: 'Cut short by an error',
  lengthReached: 'Cut off at the token limit',
  contextFull: 'Cut off because the context is full',

  tokens: (count: string) => `${count} tokens`,
  speed: (perSecond: string) => `${perSecond} tokens/s`,
  context: (used: string, length: string) => `context ${used}/${length}`,

  errorTitle: (name: ErrorName, stage: ErrorStage) => titleByName[name] ?? titleByStage[stage],
  errorCode: (code: number, name: string) => `Error ${code} ${name}`,
  retry: 'Try again',
  dismiss: 'Dismiss',
};
