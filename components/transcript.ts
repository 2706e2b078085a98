import {GgufError} from '../worker-runtime/client/index.ts';
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

/**
 * What a page set as `messages`, checked; messages without an ID get one.
 *
 * @throws {GgufError} `invalid-prompt`
 */
export function checkedTranscript(messages: readonly unknown[]): Transcript {
  const seen = new Set<string>();
  return messages.map((message, index) => {
    if (!isMessage(message)) {
      throw new GgufError('invalid-prompt', `messages[${index}] has no role or no content, or they are not text`, {
        field: `messages[${index}]`,
      });
    }
    const id = message.id ?? newMessage(message.role, '').id;
    if (seen.has(id)) {
      throw new GgufError('invalid-prompt', `messages[${index}] has the ID of an earlier message: "${id}"`, {
        field: `messages[${index}]`,
      });
    }
    seen.add(id);
    return {...message, id};
  });
}

function isMessage(value: unknown): value is Omit<TranscriptMessage, 'id'> & {id?: string} {
  if (typeof value !== 'object' || value === null) return false;
  const {id, role, content} = value as {id?: unknown; role?: unknown; content?: unknown};
  return (
    (id === undefined || typeof id === 'string') && typeof role === 'string' && typeof content === 'string'
  );
}
