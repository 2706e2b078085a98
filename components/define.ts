/** Registers `<gguf-chat>`. Two copies of the script on one page are no error: the first one wins. */
import {GgufChat} from './gguf-chat.ts';

if (!customElements.get('gguf-chat')) customElements.define('gguf-chat', GgufChat);

export {GgufChat};
