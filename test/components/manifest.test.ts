import {expect} from '@open-wc/testing';
import {LitElement} from 'lit';
import {GgufChat} from '../../components/index.ts';
import {GgufError} from '../../worker-runtime/client/index.ts';
import {fakeInspection, fakeStored} from '../helpers/fake-runtime.ts';
import {ChatHarness} from '../helpers/chat-harness.ts';

/** What of the custom-elements manifest is compared with the element. `npm run build:manifest` writes it. */
interface Declaration {
  readonly tagName?: string;
  readonly attributes: readonly {readonly name: string; readonly fieldName: string}[];
  readonly members: readonly {
    readonly kind: string;
    readonly name: string;
    readonly static?: boolean;
    readonly privacy?: string;
    readonly readonly?: boolean;
  }[];
  readonly events: readonly {
    readonly name: string;
    readonly type: {readonly text: string};
    readonly description: string;
  }[];
  readonly slots: readonly {readonly name: string}[];
  readonly cssParts: readonly {readonly name: string}[];
  readonly cssProperties: readonly {readonly name: string; readonly default: string}[];
  readonly cssStates: readonly {readonly name: string}[];
}

async function readManifest(): Promise<Declaration> {
  const response = await fetch('/dist/custom-elements.json');
  if (!response.ok) throw new Error('dist/custom-elements.json is missing: run "npm run build:manifest"');
  const {modules} = (await response.json()) as {modules: {declarations?: Declaration[]}[]};
  const found = modules
    .flatMap(({declarations}) => declarations ?? [])
    .find(({tagName}) => tagName === 'gguf-chat');
  if (!found) throw new Error('the manifest has no <gguf-chat>');
  return found;
}

/** Everything that an element showed and dispatched in one life. */
interface Observed {
  readonly events: Map<string, Event>;
  readonly parts: Set<string>;
  readonly slots: Set<string>;
  readonly states: Set<string>;
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

function look(element: GgufChat, {parts, slots, states}: Observed): void {
  const root = element.shadowRoot;
  if (!root) throw new Error('not rendered');
  for (const {part} of root.querySelectorAll('[part]')) for (const name of part) parts.add(name);
  for (const slot of root.querySelectorAll('slot')) slots.add(slot.name);
  for (const state of ['empty', 'idle', 'loading', 'ready', 'generating', 'error']) {
    if (element.matches(`:state(${state})`)) states.add(state);
  }
}

/** A life with everything in it: loads, answers, a stop, a failure, all on screen once. */
async function wholeLife(): Promise<Observed> {
  const observed: Observed = {events: new Map(), parts: new Set(), slots: new Set(), states: new Set()};
  const chat = await ChatHarness.create({});
  const {element, fake} = chat;
  element.style.blockSize = '20rem';
  const dispatch = element.dispatchEvent.bind(element);
  element.dispatchEvent = (event) => {
    if (event.type.startsWith('gguf-')) observed.events.set(event.type, event);
    return dispatch(event);
  };
  const see = async (): Promise<void> => {
    await chat.settled();
    look(element, observed);
  };
  await see();
  element.src = '/model.gguf';
  await see();
  fake.inspection = fakeInspection;
  fake.stored = [fakeStored];
  chat.requirePart('panel').dispatchEvent(new Event('pointerenter'));
  await see();
  fake.holdLoads = true;
  const load = element.load();
  await chat.settled();
  fake.load.progress(10, 40);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await see();
  fake.load.finish();
  await load;
  await see();
  element.messages = [{role: 'system', content: 'Be kind.'}];
  await chat.send('hello');
  fake.run.think('A greeting.');
  await chat.write('[link](https://link.example)\n\n```js\ncode\n```\n', 'line\n\n'.repeat(100));
  await see();
  element.addEventListener('gguf-link', (event) => event.preventDefault(), {once: true});
  chat.requirePart('link').click();
  await chat.stop();
  await see();
  chat.requirePart('edit-button').click();
  await see();
  chat.input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true, composed: true}));
  await chat.settled();
  chat.requirePart('transcript').scrollTop = 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  await see();
  await element.unload();
  const failing = element.load().catch(() => null);
  await chat.settled();
  fake.load.fail(new GgufError('network-status', 'The server answered 404'));
  await failing;
  await see();
  return observed;
}

/** Own members of the class, less what overrides a method of Lit or of the platform. */
function ownMembers(): string[] {
  const inherited = (name: string): boolean => name in LitElement.prototype && name !== 'focus';
  // Lit defines accessors for its properties on the prototype as well.
  return Object.getOwnPropertyNames(GgufChat.prototype).filter(
    (name) => name !== 'constructor' && (GgufChat.elementProperties.has(name) || !inherited(name)),
  );
}

describe('the custom-elements manifest', () => {
  let manifest: Declaration;
  let observed: Observed;

  before(async function () {
    this.timeout(20_000);
    manifest = await readManifest();
    observed = await wholeLife();
  });

  it('lists the attributes that the element observes, with their properties', () => {
    const listed = manifest.attributes.map(({name}) => name);
    expect(sorted(listed)).to.deep.equal(sorted(GgufChat.observedAttributes));
    for (const {name, fieldName} of manifest.attributes) {
      const {attribute} = GgufChat.elementProperties.get(fieldName) ?? {};
      expect(typeof attribute === 'string' ? attribute : fieldName, name).to.equal(name);
    }
  });

  it('lists the properties and methods that the element has', () => {
    const listed = manifest.members.filter((member) => !member.static).map(({name}) => name);
    expect(sorted(listed)).to.deep.equal(sorted(ownMembers()));
  });

  it('says which of them are methods, and which can be set', () => {
    for (const {kind, name, readonly, privacy} of manifest.members.filter((member) => !member.static)) {
      const found = Object.getOwnPropertyDescriptor(GgufChat.prototype, name);
      expect(typeof found?.value === 'function', name).to.equal(kind === 'method');
      if (kind === 'field' && privacy !== 'protected') {
        expect(found?.set === undefined, `${name} is read-only`).to.equal(readonly === true);
      }
    }
  });

  it('lists the events that the element dispatches, with class and manner', () => {
    expect(sorted(manifest.events.map(({name}) => name))).to.deep.equal(sorted(observed.events.keys()));
    for (const {name, type, description} of manifest.events) {
      const event = observed.events.get(name);
      expect(event?.constructor.name, name).to.equal(type.text);
      expect(event?.bubbles, `${name} bubbles`).to.equal(description.includes('--bubbles'));
      expect(event?.composed, `${name} is composed`).to.equal(description.includes('--composed'));
      expect(event?.cancelable, `${name} is cancelable`).to.equal(description.includes('--cancelable'));
    }
  });

  it('lists the slots, parts and states that are there', () => {
    expect(sorted(manifest.slots.map(({name}) => name))).to.deep.equal(sorted(observed.slots));
    expect(sorted(manifest.cssParts.map(({name}) => name))).to.deep.equal(sorted(observed.parts));
    expect(sorted(manifest.cssStates.map(({name}) => name))).to.deep.equal(sorted(observed.states));
  });

  it('lists the custom properties that the styles read, with their defaults', () => {
    const css = [GgufChat.styles].flat(2).map(String).join('\n');
    const used = css.matchAll(/var\(\s*(--gguf-chat-[a-z-]+)/g);
    expect(sorted(manifest.cssProperties.map(({name}) => name))).to.deep.equal(
      sorted(Array.from(used, ([, name = '']) => name)),
    );
    const flat = css.replace(/\s+/g, ' ');
    for (const {name, default: fallback} of manifest.cssProperties) {
      expect(flat, name).to.contain(`var(${name}, ${fallback})`);
    }
  });
});
