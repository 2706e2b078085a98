import {expect} from '@open-wc/testing';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import {openSource} from '../../worker-runtime/source/open-source.ts';
import {createTokenizer} from '../../worker-runtime/tokenizer/create-tokenizer.ts';
import type {Tokenizer} from '../../worker-runtime/tokenizer/tokenizer.ts';
import {sharedFile, sharedJson} from '../helpers/shared.ts';

interface TokenizerCase {
  readonly name: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly ids_parse_special: readonly number[];
  readonly ids_add_special: readonly number[];
  readonly ids_add_and_parse_special: readonly number[];
  readonly detokenized_hex: string;
  readonly detokenized_parse_special_hex: string;
}

interface TokenizerGolden {
  readonly n_tokens: number;
  readonly bos: number;
  readonly eos: number;
  readonly eot: number;
  readonly add_bos: boolean;
  readonly add_eos: boolean;
  readonly cases: readonly TokenizerCase[];
  /** Of the vocabularies that llama.cpp itself ships. */
  readonly upstream_cases?: readonly {readonly text: string; readonly ids: readonly number[]}[];
}

async function loadTokenizer(name: string): Promise<Tokenizer> {
  const {body} = await sharedFile(`tokenizers/${name}.gguf.gz`);
  if (!body) throw new Error(`${name} has no body`);
  const file = await new Response(body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  const reader = await openSource(file, {signal: new AbortController().signal});
  return createTokenizer((await readHeader(reader)).metadata);
}

const hexText = (hex: string): string =>
  new TextDecoder('utf-8', {ignoreBOM: true}).decode(
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)),
  );
const orNull = (id: number): number | null => (id < 0 ? null : id);

const names = [
  ...['llama-spm', 'phi-3', 'gemma-3', 'llama-bpe', 'gpt-2', 'qwen2', 'deepseek-coder', 'gpt-4o'],
  'bert-bge',
];

it('every vocabulary of the reference data is compared', async () => {
  const {vocabularies} = await sharedJson<{readonly vocabularies: readonly {readonly file: string}[]}>(
    'tokenizers/index.json',
  );
  const files = vocabularies.map(({file}) => file.replace(/\.gguf.*$/, ''));
  expect(files.sort()).to.deep.equal([...names].sort());
});

for (const name of names) {
  describe(`tokenizer ${name} against llama.cpp`, function () {
    this.timeout(60_000);
    let golden: TokenizerGolden;
    let tokenizer: Tokenizer;

    before(async () => {
      golden = await sharedJson<TokenizerGolden>(`tokenizers/${name}.json`);
      tokenizer = await loadTokenizer(name);
    });

    it('knows the special tokens', () => {
      expect(tokenizer.vocabularySize).to.equal(golden.n_tokens);
      expect(tokenizer.bos).to.equal(orNull(golden.bos));
      expect(tokenizer.eos).to.equal(orNull(golden.eos));
      expect(tokenizer.addBos).to.equal(golden.add_bos);
      expect(tokenizer.addEos).to.equal(golden.add_eos);
      for (const id of [golden.eos, golden.eot])
        expect(tokenizer.endOfGeneration.has(id) || id < 0).to.be.true;
    });

    it('encodes every case in all four modes', () => {
      for (const test of golden.cases) {
        const encode = (addSpecial: boolean, parseSpecial: boolean) =>
          tokenizer.encode(test.text, {addSpecial, parseSpecial});
        expect(encode(false, false), test.name).to.deep.equal(test.ids);
        expect(encode(false, true), `${test.name}, parsed`).to.deep.equal(test.ids_parse_special);
        expect(encode(true, false), `${test.name}, added`).to.deep.equal(test.ids_add_special);
        expect(encode(true, true), `${test.name}, both`).to.deep.equal(test.ids_add_and_parse_special);
      }
    });

    it('decodes every case', () => {
      for (const test of golden.cases) {
        expect(tokenizer.decode(test.ids), test.name).to.equal(hexText(test.detokenized_hex));
        expect(tokenizer.decode(test.ids_parse_special, {special: true}), `${test.name}, parsed`).to.equal(
          hexText(test.detokenized_parse_special_hex),
        );
      }
    });

    it("encodes llama.cpp's own cases", () => {
      for (const {text, ids} of golden.upstream_cases ?? []) {
        expect(tokenizer.encode(text), JSON.stringify(text)).to.deep.equal(ids);
      }
    });
  });
}
