import {GgufError} from './errors.ts';

/** All settings of a command; the compiler keeps it complete. */
export type KnownSettings<Params> = Readonly<Record<keyof Params, true>>;

/**
 * Refuses settings that this release does not have: nothing that was asked for is ever accepted and ignored. A hash that
 * nobody compares would be the worst of these.
 *
 * @throws {GgufError} `unsupported-feature` naming the setting
 */
export function refuseUnknownSettings<Params extends object>(
  command: string,
  params: Params,
  known: KnownSettings<Params>,
): void {
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const names = Object.keys(known).join(', ');
    throw new GgufError('unsupported-feature', `${command} has no setting "${name}"; there are ${names}`, {
      field: name,
    });
  }
}
