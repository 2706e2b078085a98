import {fixture, fixtureCleanup, html} from '@open-wc/testing';
import {sendKeys} from '@web/test-runner-commands';
import {GgufChat} from '../../components/index.ts';
import {FakeRuntime} from './fake-runtime.ts';
import {nextFrame} from './next-frame.ts';

/** The element, with a runtime that the test dictates. */
class ChatUnderTest extends GgufChat {
  readonly fake = new FakeRuntime();
  boots = 0;

  protected override async bootRuntime(): Promise<FakeRuntime> {
    this.boots++;
    return this.fake;
  }
}
customElements.define('chat-under-test', ChatUnderTest);

/** Uses the element as a visitor does: by what is on screen and by the keyboard. */
export class ChatHarness {
  private constructor(readonly element: ChatUnderTest) {}

  /** A chat with a model named and not loaded; `attributes` override and add. */
  static async idle(attributes: Record<string, string> = {}): Promise<ChatHarness> {
    return ChatHarness.create({src: '/model.gguf', ...attributes});
  }

  static async ready(attributes: Record<string, string> = {}): Promise<ChatHarness> {
    const harness = await ChatHarness.idle(attributes);
    await harness.element.load();
    await harness.settled();
    return harness;
  }

  static async create(attributes: Record<string, string>): Promise<ChatHarness> {
    fixtureCleanup();
    const element = document.createElement('chat-under-test') as ChatUnderTest;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    await fixture(html`${element}`);
    return new ChatHarness(element);
  }

  get fake(): FakeRuntime {
    return this.element.fake;
  }

  /** Lets pending tasks, a frame and the update after them happen. */
  async settled(): Promise<void> {
    await nextFrame();
    await this.element.updateComplete;
  }

  // ---- what is on screen ------------------------------------------------------------------------------------------

  part(name: string): HTMLElement | null {
    return this.#root.querySelector<HTMLElement>(`[part~="${name}"]`);
  }

  requirePart(name: string): HTMLElement {
    const element = this.part(name);
    if (!element) throw new Error(`there is no ${name} on screen`);
    return element;
  }

  get input(): HTMLTextAreaElement {
    return this.requirePart('input') as HTMLTextAreaElement;
  }

  get focusedPart(): string | null {
    return this.#root.activeElement?.getAttribute('part') ?? null;
  }

  /** What the messages say, with their author. */
  get transcript(): string[] {
    return [...this.#root.querySelectorAll('[part~="message"]')].map((message) => {
      const body = message.querySelector('[part="message-body"]');
      return `${message.getAttribute('aria-label')}: ${body?.textContent ?? ''}`;
    });
  }

  get lastMessage(): HTMLElement {
    const message = [...this.#root.querySelectorAll<HTMLElement>('[part~="message"]')].at(-1);
    if (!message) throw new Error('there is no message on screen');
    return message;
  }

  /** What a screen reader was told. */
  get announcements(): string[] {
    return [...(this.#root.querySelector('[role="status"]')?.children ?? [])].map((p) => p.textContent);
  }

  get alert(): string {
    return this.#root.querySelector('[role="alert"]')?.textContent.replace(/\s+/g, ' ').trim() ?? '';
  }

  // ---- what a visitor does ----------------------------------------------------------------------------------------

  async type(text: string): Promise<void> {
    this.input.focus();
    await sendKeys({type: text});
    await this.settled();
  }

  /** A key, or several at once: `Shift+Enter`. */
  async press(keys: string): Promise<void> {
    const held = keys.split('+');
    for (const down of held) await sendKeys({down});
    for (const up of held.reverse()) await sendKeys({up});
    await this.settled();
  }

  async click(part: string): Promise<void> {
    this.requirePart(part).click();
    await this.settled();
  }

  /** Types a message and sends it by Enter. */
  async send(text: string): Promise<void> {
    await this.type(text);
    await this.press('Enter');
  }

  async stop(): Promise<void> {
    await this.click('stop-button');
  }

  // ---- what the model does ----------------------------------------------------------------------------------------

  /** Lets the model write, and the screen show it. */
  async write(...texts: string[]): Promise<void> {
    this.fake.run.write(...texts);
    await this.settled();
  }

  async finish(): Promise<void> {
    this.fake.run.finish();
    await this.settled();
  }

  get #root(): ShadowRoot {
    const {shadowRoot} = this.element;
    if (!shadowRoot) throw new Error('not rendered');
    return shadowRoot;
  }
}

/** The types of the events that `target` gets, in order; equal neighbours once. */
export function recordEvents(target: EventTarget): string[] {
  const seen: string[] = [];
  const types =
    'before-load progress load unload send message generate-start token generate-end status error';
  for (const type of types.split(' ')) {
    target.addEventListener(`gguf-${type}`, (event) => {
      const status = (event as CustomEvent<{status?: string}>).detail.status;
      const entry = status === undefined ? type : `${type} ${status}`;
      if (seen.at(-1) !== entry) seen.push(entry);
    });
  }
  return seen;
}
