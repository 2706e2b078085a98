/** The strings in force. English is the one language so far; another one is another object of the same type. */
import {en} from './en.ts';

export type ChatStrings = typeof en;

export const strings: ChatStrings = en;

const locale = 'en';
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** `1234567` bytes as `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const format = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    maximumSignificantDigits: 3,
  });
  return format.format(bytes / 1000 ** step);
}

export function formatNumber(value: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(locale, {maximumFractionDigits}).format(value);
}
