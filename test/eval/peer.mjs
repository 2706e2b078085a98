/**
 * The built-in model in another GGUF engine: the same greedy tokens for ten conversations. That proves the file, its
 * template and its tokenizer right, not only consistent with ourselves.
 *
 *   npm run eval:peer        (after "npm run build"; installs the peer in test/bench where it is missing)
 */
import {installPeer} from '../bench/install-peer.mjs';
import {openPage} from '../bench/browser-page.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const user = (content) => ({role: 'user', content});
const assistant = (content) => ({role: 'assistant', content});
const system = (content) => ({role: 'system', content});

const conversations = [
  [user('What is gguf-chat?')],
  [user('How do I set the temperature?')],
  [user('hello')],
  [user('My name is Zofia.'), assistant('Nice to meet you, Zofia!'), user('What is my name?')],
  [system('Answer in one word.'), user('What is the capital of Peru?')],
  [system('Answer briefly.'), user('How do I put the chat on my page?')],
  [user('count to 20')],
  [user('How many are 8 + 7?')],
  [user('Tell me a story about a fox in a castle.')],
  [user('Who won the election?  \n\tand why? äöü 你好 <end> |')],
];

print(`the peer is wllama ${installPeer()}`);
const page = await openPage('test/eval/peer.html');
let different = 0;
try {
  const ours = await page.call('askOurs', conversations);
  const theirs = await page.call('askPeer', conversations);
  conversations.forEach((messages, index) => {
    const same = JSON.stringify(ours[index]) === JSON.stringify(theirs[index]);
    if (!same) different++;
    print(
      `${same ? 'equal    ' : 'DIFFERENT'} ${ours[index].tokens.length} tokens: ${messages.at(-1).content}`,
    );
    if (!same)
      for (const {promptTokens, tokens} of [ours[index], theirs[index]])
        print(`  ${promptTokens} ${JSON.stringify(tokens)}`);
  });
} finally {
  await page.close();
}
print(`${conversations.length - different} of ${conversations.length} conversations: the same tokens`);
process.exitCode = different === 0 ? 0 : 1;
