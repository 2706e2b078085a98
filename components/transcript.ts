import {GgufError} from '../worker-runtime/client/index.ts';
import type {ChatMessage} from '../worker-runtime/client/index.ts';
import type {TranscriptMessage} from './session-types.ts';

export type Transcript = readonly TranscriptMessage[];

/** A message with a new ID. */
export function newMessage(role: TranscriptMessage['role'], content: string): TranscriptMessage {
  // Not `randomUUID`, which pages without HTTPS lack.
  const id = Array.from(crypto.getRandomValues(new Uint32Array(2)), (word) => word.toString(36)).join('');
  return {id, role, content};
}

/** `transcript` with the message of the same ID replaced; as it was where there is none. */
export function replaced(transcript: Transcript, message: TranscriptMessage): Transcript {
  const index = transcript.findLastIndex(({id}) => id === message.id);
  return index < 0 ? transcript : transcript.with(index, message);
}

/** `transcript` without the message of that ID. */
export function without(transcript: Transcript, id: string): Transcript {
  return transcript.filter((message) => message.id !== id);
}

/** What the model is given: the system prompt, if there is one, and the transcript. */
export function promptOf(transcript: Transcript, systemPrompt = ''): ChatMessage[] {
  const messages = transcript.map(({role, content, reasoning}): ChatMessage => ({
    role,
    content,
    ...(reasoning && {reasoning}),
  }));
  return systemPrompt === '' ? messages : [{role: 'system', content: systemPrompt}, ...messages];
}

/**
 * What a page set as `messages`, checked; messages without an ID get one.
 *
 * @throws {GgufError} `invalid-prompt`
 */
export function checkedTranscript(messages: readonly unknown[]): Transcript {
  if (!Array.isArray(messages)) {
    throw new GgufError('invalid-prompt', 'messages is not an array', {field: 'messages'});
  }
  const seen = new Set<string>();
  return messages.map((message, index) => {
    const refuse = (why: string): GgufError =>
      new GgufError('invalid-prompt', `messages[${index}] ${why}`, {field: `messages[${index}]`});
    if (!isMessage(message)) throw refuse('needs a role and a content, and its reasoning, if any, all text');
    const id = message.id ?? newMessage(message.role, '').id;
    if (seen.has(id)) throw refuse(`has the ID of an earlier message: "${id}"`);
    seen.add(id);
    return {...message, id};
  });
}

function isMessage(value: unknown): value is Omit<TranscriptMessage, 'id'> & {id?: string} {
  if (typeof value !== 'object' || value === null) return false;
  const {id, role, content, reasoning} = value as Readonly<Record<string, unknown>>;
  const isOptionalText = (text: unknown): boolean => text === undefined || typeof text === 'string';
  return (
    isOptionalText(id) && isOptionalText(reasoning) && typeof role === 'string' && typeof content === 'string'
  );
}
