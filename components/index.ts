/** The classes, without side effects: `gguf-chat/define.js` registers the tag. */
export {GgufChat} from './gguf-chat.ts';
export * from './events.ts';
export type * from './session-types.ts';
export type {Announce} from './controllers/announcer.ts';
export type {Loading} from './controllers/load-trigger.ts';
export type {SubmitOn} from './templates/composer.ts';
