/** Seeded random numbers, the same in Node and in every browser. The generator is Marsaglia's xorshift128 (2003). */
export class Random {
  #state = new Uint32Array(4);

  /** @param {string} seed any text; different texts give unrelated sequences */
  constructor(seed) {
    // FNV-1a over the text, once for each word of the state; the index in front keeps the words different.
    for (let word = 0; word < 4; word++) {
      let hash = 0x811c9dc5 ^ word;
      for (const character of `${word}:${seed}`) {
        hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
      }
      this.#state[word] = hash | 1;
    }
    this.fill(new Uint32Array(64));
  }

  /** Fills the whole of `words` with random bits. */
  fill(words) {
    let [x, y, z, w] = this.#state;
    for (let index = 0; index < words.length; index++) {
      const t = x ^ (x << 11);
      x = y;
      y = z;
      z = w;
      w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
      words[index] = w;
    }
    this.#state.set([x, y, z, w]);
  }

  /** A number in [0, 1). */
  next() {
    const word = new Uint32Array(1);
    this.fill(word);
    return word[0] / 2 ** 32;
  }

  /** A whole number in [low, high). */
  integer(low, high) {
    return low + Math.floor(this.next() * (high - low));
  }
}
