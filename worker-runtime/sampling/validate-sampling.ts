import {GgufError} from '../errors.ts';
import type {SamplingSettings} from '../protocol.ts';

interface Rule {
  readonly accepts: (value: number) => boolean;
  readonly range: string;
}

const isInteger = Number.isSafeInteger;

const rules: Readonly<Record<keyof SamplingSettings, Rule>> = {
  temperature: {accepts: (value) => value >= 0, range: 'a finite number ≥ 0'},
  topK: {accepts: (value) => isInteger(value) && value >= 0, range: 'a whole number ≥ 0'},
  topP: {accepts: (value) => value > 0 && value <= 1, range: 'a number above 0, at most 1'},
  minP: {accepts: (value) => value >= 0 && value <= 1, range: 'a number from 0 to 1'},
  repeatPenalty: {accepts: (value) => value > 0, range: 'a finite number above 0'},
  repeatLastN: {accepts: (value) => isInteger(value) && value >= 0, range: 'a whole number ≥ 0'},
  seed: {accepts: (value) => isInteger(value) && value >= 0, range: 'a whole number from 0 to 2^53 - 1'},
};

/**
 * `base` with the settings of `partial`; `undefined` stands for a setting that was not given.
 *
 * @throws {GgufError} `invalid-setting` naming the first unknown or bad one; `base` is never changed
 */
export function validateSampling(
  partial: Partial<SamplingSettings>,
  base: SamplingSettings,
): SamplingSettings {
  if (typeof partial !== 'object' || partial === null) {
    throw new GgufError('invalid-setting', 'sampling must be an object of settings', {field: 'sampling'});
  }
  const settings: Record<keyof SamplingSettings, number> = {...base};
  for (const [name, value] of Object.entries(partial) as [string, unknown][]) {
    if (!isSettingName(name)) {
      const known = Object.keys(rules).join(', ');
      throw new GgufError('invalid-setting', `${name} is no sampling setting; there are ${known}`, {
        field: name,
      });
    }
    if (value !== undefined) settings[name] = check(name, value);
  }
  return settings;
}

function isSettingName(name: string): name is keyof SamplingSettings {
  return Object.hasOwn(rules, name);
}

function check(name: keyof SamplingSettings, value: unknown): number {
  const {accepts, range} = rules[name];
  if (typeof value === 'number' && Number.isFinite(value) && accepts(value)) return value;
  const given = typeof value === 'number' ? String(value) : JSON.stringify(value)?.slice(0, 40);
  throw new GgufError('invalid-setting', `${name} must be ${range}, not ${given}`, {field: name});
}
