/** GGUF files for tests, written without any of the code under test. Runs in browsers and in Node. */
export {ByteWriter} from './gguf/byte-writer.ts';
export {encodeTensor, toBf16, toF16} from './gguf/encode-tensor.ts';
export type {EncodableType} from './gguf/encode-tensor.ts';
export {Random} from './gguf/random.ts';
export {tinyLlama} from './gguf/tiny-llama.ts';
export type {TinyLlamaOptions} from './gguf/tiny-llama.ts';
export {tinyVocabulary} from './gguf/tiny-vocabulary.ts';
export {writeGguf} from './gguf/write-gguf.ts';
export type {GgufInput, MetadataInput, TensorInput} from './gguf/write-gguf.ts';
