/** How vocabularies of the SentencePiece kind write a space (U+2581). */
export const spaceMark = '▁';

/** The name of the token of a byte: `<0x0A>`. */
export function byteName(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

export function parseByteName(text: string): number | null {
  const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
  return digits === undefined ? null : parseInt(digits, 16);
}
