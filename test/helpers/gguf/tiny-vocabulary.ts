/** Letters, digits, marks, and some longer pieces, so that merging has something to do. */
export const tinyVocabulary: readonly string[] = [
  ...'▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?:;\'"-()',
  ...'th he in er an re on at en nd ti es or te of ed is it al ar st to ng'.split(' '),
  ...'▁a ▁t ▁th ▁the ▁s ▁w ▁o ▁an ▁and ▁in ▁to ▁of ▁is ▁it ing ▁he ▁hello hello'.split(' '),
];

/** Token types of `tokenizer.ggml.token_type`. */
const tokenType = {normal: 1, unknown: 2, control: 3, byte: 6} as const;

/** Keys of a SentencePiece vocabulary: `<unk>`, `<s>`, `</s>`, the 256 byte tokens, and `pieces`. */
export function spmVocabulary(pieces: readonly string[]) {
  const bytes = Array.from({length: 256}, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces];
  const types = tokens.map((_, id) =>
    id === 0 ? tokenType.unknown : id < 3 ? tokenType.control : id < 259 ? tokenType.byte : tokenType.normal,
  );
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    // Longer pieces merge first.
    'tokenizer.ggml.scores': Float32Array.from(tokens, (token, id) =>
      id < 259 ? 0 : token.length * 1000 - (id - 259) - 1e5,
    ),
    'tokenizer.ggml.token_type': Int32Array.from(types),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_eos_token': false,
  };
}
