import {
  GgufErrorEvent,
  GgufGenerateEndEvent,
  GgufGenerateStartEvent,
  GgufLoadEvent,
  GgufMessageEvent,
  GgufProgressEvent,
  GgufStatusEvent,
  GgufTokenEvent,
  GgufUnloadEvent,
} from './events.ts';
import type {SessionEvent} from './session-types.ts';

/** The DOM event for what a session tells; `null` for what is of no interest outside. */
export function toDomEvent(event: SessionEvent): Event | null {
  switch (event.type) {
    case 'change':
      return null;
    case 'status':
      return new GgufStatusEvent({status: event.status, previous: event.previous});
    case 'progress':
      return new GgufProgressEvent(event.progress);
    case 'load':
      return new GgufLoadEvent({model: event.model});
    case 'unload':
      return new GgufUnloadEvent({freedBytes: event.freedBytes});
    case 'message':
      return new GgufMessageEvent({message: event.message});
    case 'generate-start':
      return new GgufGenerateStartEvent({message: event.message});
    case 'token':
      return new GgufTokenEvent({token: event.token, message: event.message});
    case 'generate-end':
      return new GgufGenerateEndEvent({message: event.message, result: event.result});
    case 'error':
      return new GgufErrorEvent({error: event.error});
  }
}
