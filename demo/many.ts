import '../components/define.ts'; // On your site: 'gguf-chat/define.js'
import type {GgufChat} from '../components/index.ts';

const question = document.querySelector<HTMLInputElement>('#question')!;
const chats = document.querySelectorAll('gguf-chat');

/** Loads the model where that has not happened yet, ends the answer under way, and asks. */
async function ask(chat: GgufChat, text: string): Promise<void> {
  try {
    if (!chat.model) await chat.load();
    await chat.stop();
    await chat.send(text);
  } catch {
    // The element shows what went wrong.
  }
}

document.querySelector('form')!.addEventListener('submit', (event) => {
  event.preventDefault();
  for (const chat of chats) void ask(chat, question.value);
});
