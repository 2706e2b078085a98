/**
 * The alphabet in which byte-level BPE writes bytes as visible characters (Radford et al., GPT-2, 2019): printable bytes
 * of Latin-1 stand for themselves, the others for U+0100 and following, in their order.
 */

/** The character of each byte. */
export const byteToCharacter: readonly string[] = buildAlphabet();

const characterToByte = new Map(byteToCharacter.map((character, byte) => [character, byte]));
const utf8 = new TextEncoder();

/** The bytes that a token's text stands for; a character outside the alphabet stands for itself. */
export function alphabetBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const byte = characterToByte.get(character);
    if (byte === undefined) bytes.push(...utf8.encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** `bytes` in the alphabet. */
export function alphabetText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byteToCharacter[byte] ?? '';
  return text;
}

function buildAlphabet(): string[] {
  let next = 0x100;
  return Array.from({length: 256}, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}
