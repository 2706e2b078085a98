import {expect} from '@open-wc/testing';
import {Cancelled, Scheduler} from '../../worker-runtime/scheduler.ts';

/** A job of `steps` steps that notes each in `log`. */
function job(log: string[], name: string, steps: number): () => Promise<boolean> {
  return () => {
    log.push(name);
    return Promise.resolve(--steps === 0);
  };
}

/** Keeps the thread busy. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

describe('Scheduler', () => {
  it('advances jobs in turn, one step each', async () => {
    const scheduler = new Scheduler();
    const log: string[] = [];
    await Promise.all([scheduler.run(job(log, 'a', 3)), scheduler.run(job(log, 'b', 2))]);
    expect(log.join('')).to.equal('ababa');
  });

  it('never runs two steps at once', async () => {
    const scheduler = new Scheduler();
    let active = 0;
    const slow = () => {
      let steps = 3;
      return async () => {
        expect(++active).to.equal(1);
        await scheduler.yield();
        active--;
        return --steps === 0;
      };
    };
    await Promise.all([scheduler.run(slow()), scheduler.run(slow()), scheduler.run(slow())]);
  });

  it('starts again after it had nothing to do', async () => {
    const scheduler = new Scheduler();
    const log: string[] = [];
    await scheduler.run(job(log, 'a', 1));
    await scheduler.run(job(log, 'b', 1));
    expect(log).to.deep.equal(['a', 'b']);
  });

  it('ends a job with what its step throws, and no other job', async () => {
    const scheduler = new Scheduler();
    const log: string[] = [];
    const failure = new Error('broken');
    const broken = scheduler.run(() => Promise.reject(failure));
    const other = scheduler.run(job(log, 'a', 2));
    expect(await outcome(broken)).to.equal(failure);
    await other;
    expect(log).to.deep.equal(['a', 'a']);
  });

  it('lets messages in between steps', async () => {
    const scheduler = new Scheduler();
    const {port1, port2} = new MessageChannel();
    let stop = false;
    port1.onmessage = () => (stop = true);
    let steps = 0;
    await scheduler.run(() => {
      if (steps++ === 0) port2.postMessage(null);
      // Without yielding to messages this would never end.
      return Promise.resolve(stop || steps > 10_000);
    });
    expect(stop).to.be.true;
    port1.close();
  });

  it('throws at the checkpoint after an abort', async () => {
    const scheduler = new Scheduler();
    const controller = new AbortController();
    const checkpoint = scheduler.checkpoint(controller.signal);
    await checkpoint();
    controller.abort();
    expect(() => checkpoint()).to.throw(Cancelled);
  });

  it('yields at a checkpoint only after a while, and notices an abort that came meanwhile', async () => {
    const scheduler = new Scheduler();
    const controller = new AbortController();
    const checkpoint = scheduler.checkpoint(controller.signal);
    let pause: void | Promise<void> = scheduler.yield();
    // Where the machine held this test up since the last yield, it is right to yield again.
    for (let attempt = 0; pause && attempt < 50; attempt++) {
      await pause;
      pause = checkpoint();
    }
    expect(pause).to.equal(undefined);
    spin(6);
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => controller.abort();
    port2.postMessage(null);
    pause = checkpoint();
    expect(pause).to.be.instanceOf(Promise);
    // The abort may be delivered before this yield or before the next one.
    const result = await outcome(
      Promise.resolve(pause)
        .then(() => scheduler.yield())
        .then(() => checkpoint()),
    );
    expect(result).to.be.instanceOf(Cancelled);
    port1.close();
  });
});
