/** What a visitor does with the tag: finds things by role and name, types on a real keyboard, reads what is there. */
import assert from 'node:assert/strict';

const events = [
  'gguf-before-load',
  'gguf-load',
  'gguf-unload',
  'gguf-send',
  'gguf-message',
  'gguf-generate-start',
  'gguf-token',
  'gguf-generate-end',
  'gguf-status',
  'gguf-error',
];

export class Visitor {
  /** Opens the page and notes events, console errors and policy violations. */
  static async open(context, url) {
    const page = await context.newPage();
    const visitor = new Visitor(page);
    page.on('pageerror', (error) => visitor.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') visitor.problems.push(message.text());
    });
    await page.evaluateOnNewDocument((names) => {
      const log = [];
      Object.assign(globalThis, {ggufEvents: log});
      document.addEventListener('DOMContentLoaded', () => {
        const chat = document.querySelector('gguf-chat');
        for (const name of names) {
          chat?.addEventListener(name, (event) =>
            log.push({name, detail: structuredCloneable(event.detail)}),
          );
        }
      });
      const structuredCloneable = (detail) =>
        JSON.parse(
          JSON.stringify(detail ?? null, (_, value) =>
            value instanceof Error ? {...value, message: value.message} : value,
          ),
        );
    }, events);
    await page.goto(url);
    return visitor;
  }

  problems = [];

  constructor(page) {
    this.page = page;
  }

  /** An element by its role and accessible name, through the shadow root. */
  find(role, name) {
    return this.page.waitForSelector(`::-p-aria([role="${role}"][name="${name}"])`, {timeout: 10_000});
  }

  async click(role, name) {
    const element = await this.find(role, name);
    await element.click();
  }

  async waitForStatus(status) {
    await this.page.waitForFunction(
      (wanted) => document.querySelector('gguf-chat')?.status === wanted,
      {timeout: 20_000, polling: 20},
      status,
    );
  }

  async load() {
    await this.click('button', 'Load model');
    await this.waitForStatus('ready');
  }

  /** Types a message and sends it with Enter. */
  async say(text) {
    const box = await this.find('textbox', 'Message');
    await box.click();
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** The transcript as the page sees it. */
  messages() {
    return this.page.evaluate(() => document.querySelector('gguf-chat').messages);
  }

  /** The text in the log, as a reader sees it. */
  async visibleText() {
    const log = await this.page.waitForSelector('::-p-aria([role="log"])');
    return log.evaluate((element) => element.innerText ?? element.textContent);
  }

  property(name) {
    return this.page.evaluate((key) => document.querySelector('gguf-chat')[key], name);
  }

  async waitForAnswer(count = 1) {
    await this.page.waitForFunction(
      (wanted) =>
        document
          .querySelector('gguf-chat')
          .messages.filter(({role, finishReason}) => role === 'assistant' && finishReason).length >= wanted,
      {timeout: 30_000, polling: 20},
      count,
    );
  }

  events(name) {
    return this.page.evaluate(
      (wanted) => globalThis.ggufEvents.filter((event) => wanted === undefined || event.name === wanted),
      name,
    );
  }

  assertNoProblems() {
    assert.deepEqual(this.problems, [], 'nothing in the console');
  }
}
