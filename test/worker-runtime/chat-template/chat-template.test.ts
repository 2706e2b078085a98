import {expect} from '@open-wc/testing';
import {createChatTemplate} from '../../../worker-runtime/chat-template/chat-template.ts';
import type {ChatTemplate} from '../../../worker-runtime/chat-template/chat-template.ts';
import type {ChatMessage} from '../../../worker-runtime/protocol.ts';
import {createTokenizer} from '../../../worker-runtime/tokenizer/create-tokenizer.ts';
import type {Tokenizer} from '../../../worker-runtime/tokenizer/tokenizer.ts';
import {expectRefusal} from '../../helpers/refusal.ts';
import {bytePairKeys, metadataOf, sentencePieceKeys, texts} from '../tokenizer/fixtures.ts';
import type {Changes} from '../tokenizer/fixtures.ts';

const key = 'tokenizer.chat_template';
const conversation: readonly ChatMessage[] = [
  {role: 'system', content: 'Be brief.'},
  {role: 'user', content: 'Hi'},
];

async function load(keys: Changes): Promise<{template: ChatTemplate; tokenizer: Tokenizer}> {
  const metadata = await metadataOf(keys);
  const tokenizer = await createTokenizer(metadata);
  return {template: createChatTemplate(metadata, tokenizer), tokenizer};
}

const withTemplate = (source: string): Changes => bytePairKeys('qwen2', [], {[key]: source});

describe('ChatTemplate', () => {
  it("renders the file's template", async () => {
    const source =
      '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}' +
      '{% if add_generation_prompt %}[assistant]{% endif %}{{ tools | length if tools is defined else "" }}';
    const {template} = await load(withTemplate(source));
    expect(template.source).to.equal(source);
    const text = '<|endoftext|>[system]Be brief.[user]Hi';
    expect(template.render(conversation)).to.equal(`${text}[assistant]`);
    expect(template.render(conversation, {addGenerationPrompt: false})).to.equal(text);
    expect(template.render(conversation, {tools: [{}, {}]})).to.equal(`${text}[assistant]2`);
  });

  it('gives templates the other fields of a message', async () => {
    const {template} = await load(withTemplate('{{ messages[0].tool_calls[0].name }}'));
    const message = {role: 'assistant', content: '', tool_calls: [{name: 'clock'}]};
    expect(template.render([message])).to.equal('clock');
  });

  it('falls back to ChatML where the vocabulary has it', async () => {
    const {template} = await load(bytePairKeys('qwen2', []));
    expect(template.source).to.equal(null);
    expect(template.render(conversation)).to.equal(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(template.render(conversation, {addGenerationPrompt: false})).to.match(/Hi<\|im_end\|>\n$/);
  });

  it('falls back to a transcript elsewhere', async () => {
    const {template} = await load(sentencePieceKeys(['a']));
    expect(template.render(conversation)).to.equal('Be brief.\n\nUser: Hi\n\nAssistant:');
  });

  it("knows the format of RWKV's World models by its name", async () => {
    const {template} = await load(sentencePieceKeys(['a'], {[key]: 'rwkv-world'}));
    const messages = [
      ...conversation,
      {role: 'assistant', content: ' Hello. '},
      {role: 'user', content: '\nBye\n'},
    ];
    const text = 'System: Be brief.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\n';
    expect(template.render(messages)).to.equal(`${text}Assistant:`);
    expect(template.render(messages, {addGenerationPrompt: false})).to.equal(text);
  });

  it('gives templates what the page names, and thoughts under the name that they read', async () => {
    const source =
      '{{ "on" if enable_thinking else "off" }} {{ messages[0].reasoning_content }} {{ "none" if other is not defined }}';
    const {template} = await load(withTemplate(source));
    const message = {role: 'assistant', content: 'Hi', reasoning: 'A greeting.'};
    const text = template.render([message], {variables: {enable_thinking: false}});
    expect(text).to.equal('off A greeting. none');
  });

  it('refuses variables that it cannot give', async () => {
    const {template} = await load(withTemplate('{{ messages[0].content }}'));
    const refused = async (variables: Record<string, unknown>, name: string): Promise<unknown> =>
      expectRefusal(
        () => template.render(conversation, {variables}),
        'invalid-setting',
        `templateVariables.${name}`,
      );
    await refused({messages: []}, 'messages');
    await refused({'no name': 1}, 'no name');
  });

  it("can be the page's own, which is parsed at once", async () => {
    const metadata = await metadataOf(withTemplate('of the file'));
    const tokenizer = await createTokenizer(metadata);
    const own = (given: string): ChatTemplate => createChatTemplate(metadata, tokenizer, given);
    expect(own('{{ messages[1].content }}!').render(conversation)).to.equal('Hi!');
    expect(own('chatml').render(conversation)).to.match(/^<\|im_start\|>system/);
    await expectRefusal(() => own('{% for'), 'chat-template');
    await expectRefusal(() => own('alpaca'), 'invalid-setting', 'chatTemplate');
  });

  it('is parsed only when it is used', async () => {
    const {template} = await load(withTemplate('{% for'));
    expect(template.source).to.equal('{% for');
    await expectRefusal(() => template.render(conversation), 'chat-template', key);
    await expectRefusal(() => template.encode(conversation), 'chat-template', key);
  });

  it('must be a string', async () => {
    await expectRefusal(() => load(bytePairKeys('qwen2', [], {[key]: 7})), 'gguf-metadata', key);
  });

  it('encodes control tokens of the template, and those of messages as text', async () => {
    const {template, tokenizer} = await load(
      withTemplate('<|im_start|>{% for m in messages %}{{ m.content | trim }}{% endfor %}<|endoftext|>'),
    );
    const content = ' a<|im_start|><|endoftext|>b<think> ';
    const tokens = texts(tokenizer, template.encode([{role: 'user', content}]));
    expect(tokens[0]).to.equal('<|im_start|>');
    expect(tokens.at(-1)).to.equal('<|endoftext|>');
    const inner = tokens.slice(1, -1);
    expect(inner).not.to.include('<|im_start|>');
    expect(inner).not.to.include('<|endoftext|>');
    // No control token: models write it, and templates look for it.
    expect(inner).to.include('<think>');
    expect(inner.join('')).to.equal('a<|im_start|><|endoftext|>b<think>');
  });

  it('guards every string of a conversation', async () => {
    const {template, tokenizer} = await load(
      withTemplate('{{ messages[0].name }}{{ messages[0].list | tojson }}{{ tools | tojson }}'),
    );
    const evil = '<|im_start|>';
    const message = {role: 'user', content: '', name: evil, list: [{[evil]: evil}]};
    const tokens = texts(tokenizer, template.encode([message], {tools: [evil]}));
    expect(tokens.join('').match(/<\|im_start\|>/g)).to.have.length(4);
    expect(tokens).not.to.include(evil);
  });

  it('guards texts that overlap or hold the mark themselves', async () => {
    const {template, tokenizer} = await load(withTemplate('{{ messages[0].content }}'));
    const content = '<\uFDD0|im_start|><|im_<|im_start|>start|>';
    const ids = template.encode([{role: 'user', content}]);
    expect(texts(tokenizer, ids)).not.to.include('<|im_start|>');
    expect(tokenizer.decode(ids)).to.equal(content.replace('\uFDD0', '\uFFFD'));
  });

  it('renders text as it was written, without marks', async () => {
    const {template} = await load(withTemplate('{{ messages[0].content }}'));
    expect(template.render([{role: 'user', content: 'a<|im_start|>'}])).to.equal('a<|im_start|>');
  });

  it('puts BOS in front once', async () => {
    for (const source of ['{{ bos_token }}a', 'a']) {
      const {template, tokenizer} = await load(sentencePieceKeys(['▁', 'a'], {[key]: source}));
      expect(texts(tokenizer, template.encode(conversation)), source).to.deep.equal(['<s>', '▁', 'a']);
    }
    const {template} = await load(bytePairKeys('qwen2', [], {[key]: 'a'}));
    expect(template.encode(conversation)).to.deep.equal([97]);
  });
});

describe('conversations', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const bad: readonly [string, unknown, string][] = [
    ['no messages', [], 'messages'],
    ['what is no array', {role: 'user', content: 'a'}, 'messages'],
    ['a message that is none', ['a'], 'messages[0]'],
    ['a missing role', [{content: 'a'}], 'messages[0].role'],
    ['a role that is no word', [{role: 'user<|im_end|>', content: 'a'}], 'messages[0].role'],
    ['an empty role', [{role: '', content: 'a'}], 'messages[0].role'],
    [
      'content that is no string',
      [
        {role: 'user', content: 'a'},
        {role: 'user', content: 3},
      ],
      'messages[1].content',
    ],
    ['a cycle', [{role: 'user', content: 'a', extra: cycle}], 'messages'],
    ['too many messages', new Array(10_001).fill({role: 'user', content: 'a'}), 'messages'],
  ];
  for (const [name, messages, field] of bad) {
    it(`are refused with ${name}`, async () => {
      const {template} = await load(bytePairKeys('qwen2', []));
      const error = await expectRefusal(
        () => template.render(messages as ChatMessage[]),
        'invalid-prompt',
        field,
      );
      expect(error.field).to.equal(field);
    });
  }

  it('are refused with tools that are no array', async () => {
    const {template} = await load(bytePairKeys('qwen2', []));
    const options = {tools: 'clock' as unknown as unknown[]};
    await expectRefusal(() => template.render(conversation, options), 'invalid-prompt', 'tools');
  });
});
