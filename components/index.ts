/** The classes, without side effects: `gguf-chat/define.js` registers the tag. */
export {GgufChat} from './gguf-chat.ts';
export * from './events.ts';
export type * from './session-types.ts';
