/**
 * What no real file comes near. A number beyond one of these means a damaged or hostile file, which is refused before
 * anything is waited for or allocated because of it.
 */
export const limits = {
  /** Real files have 20 to 100 keys; a split's first part a few more. */
  metadataCount: 65_536,
  /** Mixtures with every expert's matrices apart have about 50 000 tensors. */
  tensorCount: 262_144,
  /** From the format's text. */
  keyBytes: 65_535,
  /** ggml keeps names in 64 bytes, the terminating zero included. */
  tensorNameBytes: 63,
  /** The longest strings are chat templates, licences and tokenizer files: below 20 MB. */
  stringBytes: 64 * 1024 * 1024,
  /** The longest arrays are merges and tokens: below a million. */
  arrayLength: 16 * 1024 * 1024,
  /** No key nests arrays yet; the format allows it. Bounds the recursion. */
  arrayDepth: 4,
  /** From ggml: tensors have up to four dimensions. */
  dimensions: 4,
  /** Real headers are below 30 MB. They are held in memory, unlike tensors. */
  headerBytes: 256 * 1024 * 1024,
  /** Writers use 32, at times a page; beyond a large page, padding would only waste the file. */
  alignment: 2 * 1024 * 1024,
} as const;
