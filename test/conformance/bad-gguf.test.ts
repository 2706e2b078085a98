import {expect} from '@open-wc/testing';
import {GgufError} from '../../worker-runtime/errors.ts';
import {ggmlTypeById, ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import {openSource} from '../../worker-runtime/source/open-source.ts';
import {readPieces} from '../helpers/piece-stream.ts';
import {sharedFile, sharedJson} from '../helpers/shared.ts';

interface BadCase {
  readonly file: string;
  readonly defect: string;
  readonly stage: string;
  readonly field: string | null;
  /** For these stages; the others have more. */
  readonly expected: 'accept' | 'reject' | 'either';
}

/**
 * What the reader alone decides, `-` being the valid controls. The cases of the stages `model`, `tokenizer`, `template`
 * and `runtime` are well-formed for the reader: they belong to the suite that loads them through the whole runtime.
 */
const readerStages: readonly string[] = ['-', 'any', 'header', 'metadata', 'tensor-info', 'data'];

/** How our messages say what a case calls by another name. */
const wording: Readonly<Record<string, RegExp>> = {
  key: /key length of 0/,
  'tensor data': /Tensor \S+ .*tensor data/,
};

/** Reads a model as the runtime does, down to the last byte of its tensors. */
async function readWhole(file: ArrayBuffer, pieceLength?: number): Promise<void> {
  const {signal} = new AbortController();
  const reader = pieceLength ? readPieces(file, pieceLength, null) : await openSource(file, {signal});
  const {metadata, tensors} = await readHeader(reader);
  expect(metadata.string('general.architecture')).to.equal('llama');
  const inFileOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  for (const {offset, bytes} of inFileOrder) {
    await reader.skip(offset - reader.position);
    await reader.fill(new Uint8Array(bytes));
  }
  await reader.close();
}

/** The refusal, `null` where the file was accepted; any other exception fails the test. */
async function refusal(file: ArrayBuffer, pieceLength?: number): Promise<GgufError | null> {
  try {
    await readWhole(file, pieceLength);
    return null;
  } catch (thrown) {
    if (thrown instanceof GgufError) return thrown;
    throw thrown;
  }
}

function checkOutcome({expected, field}: BadCase, error: GgufError | null): void {
  if (expected === 'either') return;
  expect(error === null ? 'accept' : 'reject', error?.message).to.equal(expected);
  // Where the length is unknown, an end within the tensor data shows when it comes, and the reader knows no tensors.
  if (error === null || field === null || error.name === 'network-truncated') return;
  const wanted = wording[field];
  if (wanted) expect(error.message).to.match(wanted);
  else expect(error.message.toLowerCase()).to.include(field.replace('-', ' '));
}

describe('damaged GGUF files', () => {
  it('are refused by the name of what is wrong with them, the others accepted', async function () {
    this.timeout(60_000);
    const lines = (await (await sharedFile('bad-gguf/cases.jsonl')).text()).trim().split('\n');
    const cases = lines
      .map((line) => JSON.parse(line) as BadCase)
      .filter(({stage}) => readerStages.includes(stage));
    expect(cases.length).to.be.at.least(70);
    const failures: string[] = [];
    for (const badCase of cases) {
      const file = await (await sharedFile(`bad-gguf/${badCase.file}`)).arrayBuffer();
      for (const pieceLength of [undefined, 1000]) {
        try {
          checkOutcome(badCase, await refusal(file.slice(0), pieceLength));
        } catch (thrown) {
          failures.push(`${badCase.file} (${badCase.defect}; ${badCase.field}): ${String(thrown)}`);
        }
      }
    }
    expect(failures.join('\n')).to.equal('');
  });
});

describe('ggmlTypes', () => {
  it('has the numbers and block sizes of the reference', async () => {
    interface Manifest {
      readonly types: readonly {type: string; type_id: number; block_elements: number; block_bytes: number}[];
    }
    const {types} = await sharedJson<Manifest>('dequant/manifest.json');
    for (const {type, type_id: id, block_elements: blockElements, block_bytes: blockBytes} of types) {
      const name = ggmlTypeById(id);
      expect(name, type).to.equal(type.toUpperCase());
      expect(name && ggmlTypes[name], type).to.deep.equal({id, blockElements, blockBytes});
    }
  });
});
