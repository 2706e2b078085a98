import {cores} from '../../wasm/build/cores.js';
import type {CoreVariant} from '../protocol.ts';

/**
 * The binary of a core. In the script it is compressed: compressed once more on its way, text that stands for the binary itself would
 * be a third larger than text that stands for this.
 */
export async function coreBytes(variant: CoreVariant): Promise<Uint8Array<ArrayBuffer>> {
  const {deflated, bytes} = cores[variant];
  const compressed = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const binary = new Uint8Array(await new Response(stream).arrayBuffer());
  if (binary.length !== bytes)
    throw new Error(`the ${variant} core has ${binary.length} bytes, not ${bytes}`);
  return binary;
}
