/**
 * The generator of the draws: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators",
 * 2018), which needs 32-bit operations only. Its state comes from both halves of a 53-bit seed, each through a
 * one-to-one mixing function, so that no two seeds give the same stream.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed an integer in [0, 2^53) */
  constructor(seed: number) {
    const low = seed >>> 0;
    const high = Math.floor(seed / 0x1_0000_0000);
    this.#a = mix(low);
    this.#b = mix(high + 0x9e3779b9);
    this.#c = mix(low ^ 0x85ebca6b);
    // The state must not be all zero: of `a` and `c` at most one is, because `mix` is one-to-one.
    this.#d = mix(high ^ 0xc2b2ae35);
  }

  /** 32 random bits, as an unsigned integer. */
  bits(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return result;
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.bits() >>> 5;
    const low = this.bits() >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }
}

/** A one-to-one map of 32-bit integers in which every input bit reaches every output bit. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

function rotate(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
