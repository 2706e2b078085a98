import {expect} from '@open-wc/testing';
import {GgufError} from '../../worker-runtime/errors.ts';
import type {ErrorName} from '../../worker-runtime/errors.ts';

/** Awaits the `GgufError` that `action` must end with, and checks its name and message. */
export async function expectRefusal(
  action: () => unknown,
  name: ErrorName,
  message: string | RegExp = '',
): Promise<GgufError> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof GgufError)) throw new Error(`expected ${name}, got ${String(thrown)}`);
  expect(thrown.name, thrown.message).to.equal(name);
  if (typeof message === 'string') expect(thrown.message).to.include(message);
  else expect(thrown.message).to.match(message);
  return thrown;
}
