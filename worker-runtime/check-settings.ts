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

/**
 * A whole number from `least` to `most`.
 *
 * @param why continues the range in the message, as in "from 1 to 512, what the model was trained for"
 * @throws {GgufError} `invalid-setting` naming the setting
 */
export function checkWholeNumber(
  name: string,
  value: number,
  {least, most = Infinity, why = ''}: {readonly least: number; readonly most?: number; readonly why?: string},
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `≥ ${least}` : `from ${least} to ${most}${why}`;
  throw new GgufError('invalid-setting', `${name} must be a whole number ${range}, not ${value}`, {
    field: name,
  });
}
