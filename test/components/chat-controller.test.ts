import {expect} from '@open-wc/testing';
import type {ReactiveController} from 'lit';
import {ChatController} from '../../components/chat-controller.ts';
import {FakeRuntime} from '../helpers/fake-runtime.ts';
import {nextFrame} from '../helpers/next-frame.ts';

/** As much of a Lit host as a controller sees. */
class Host {
  updates = 0;
  readonly updateComplete = Promise.resolve(true);
  readonly controllers = new Set<ReactiveController>();
  addController(controller: ReactiveController): void {
    this.controllers.add(controller);
  }
  removeController(controller: ReactiveController): void {
    this.controllers.delete(controller);
  }
  requestUpdate(): void {
    this.updates++;
  }
}

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function ready(
  disposalDelay: number,
): Promise<{host: Host; fake: FakeRuntime; controller: ChatController}> {
  const host = new Host();
  const fake = new FakeRuntime();
  const controller = new ChatController(host, {boot: async () => fake, disposalDelay});
  await controller.session.load('/model.gguf');
  return {host, fake, controller};
}

describe('ChatController', () => {
  it('updates its host once per frame while tokens arrive', async () => {
    const {host, fake, controller} = await ready(0);
    const answer = controller.session.send('hello');
    await wait(0);
    await nextFrame();
    const before = host.updates;
    fake.run.write(...Array.from({length: 20}, () => 'a'));
    await wait(0);
    await nextFrame();
    await nextFrame();
    expect(host.updates - before).to.equal(1);
    fake.run.finish();
    await answer;
  });

  it('keeps the runtime of a host that comes back', async () => {
    const {fake, controller} = await ready(30);
    controller.hostDisconnected();
    controller.hostConnected();
    await wait(60);
    expect(fake.calls).to.deep.equal([]);
    expect(controller.session.status).to.equal('ready');
  });

  it('ends the runtime of a host that stays away', async () => {
    const {fake, controller} = await ready(10);
    controller.hostDisconnected();
    await wait(30);
    expect(fake.calls).to.deep.equal(['terminate']);
    expect(controller.session.status).to.equal('idle');
  });
});
