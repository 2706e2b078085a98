import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {ByteWriter, writeGguf} from '../../helpers/gguf-writer.ts';
import type {GgufInput, TensorInput} from '../../helpers/gguf-writer.ts';
import {readPieces} from '../../helpers/piece-stream.ts';
import {expectRefusal} from '../../helpers/refusal.ts';
import type {ErrorName} from '../../../worker-runtime/errors.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Begins a version 3 file with the given counts. */
function begin(tensorCount: number | bigint, metadataCount: number | bigint): ByteWriter {
  return new ByteWriter().bytes(ascii('GGUF')).u32(3).u64(tensorCount).u64(metadataCount);
}

/** A file with one tensor `t.weight`, 4 × F32 unless `tensor` says otherwise. */
function oneTensor(tensor: Partial<TensorInput>, input: GgufInput = {}): ArrayBuffer {
  const data = new Uint8Array(64);
  return writeGguf({...input, tensors: [{name: 't.weight', type: 0, dimensions: [4], data, ...tensor}]});
}

function twoTensors(a: Partial<TensorInput>, b: Partial<TensorInput>): ArrayBuffer {
  const tensor: TensorInput = {name: 't.weight', type: 0, dimensions: [16], data: new Uint8Array(64)};
  return writeGguf({
    tensors: [
      {...tensor, ...a},
      {...tensor, ...b},
    ],
  });
}

type Case = [name: string, file: ArrayBuffer | Uint8Array, error: ErrorName, message: string | RegExp];

const lookalikes: Case[] = [
  ['an empty file', new Uint8Array(), 'not-gguf', /magic.*empty/],
  ['an HTML page', ascii('\n<!doctype html><title>404</title>'), 'not-gguf', 'HTML'],
  ['JSON', ascii('{"error": "not found"}'), 'not-gguf', 'JSON'],
  ['a Git LFS pointer', ascii('version https://git-lfs.github.com/spec/v1\n'), 'not-gguf', 'Git LFS'],
  ['safetensors', ascii('\x40\0\0\0\0\0\0\0{"a": {}}'), 'not-gguf', 'safetensors'],
  ['a zip archive', ascii('PK\x03\x04'), 'not-gguf', 'zip'],
  ['gzip', new Uint8Array([0x1f, 0x8b, 8]), 'not-gguf', 'gzip'],
  ['a model from before GGUF', ascii('tjgg\x03\0\0\0'), 'not-gguf', 'before GGUF'],
  ['a reversed magic', ascii('FUGG\x03\0\0\0'), 'not-gguf', 'byte order'],
  ['anything else', ascii('abcdef'), 'not-gguf', '"abcd"'],
  ['part of the magic', ascii('GGU'), 'not-gguf', '"GGU"'],
  ['version 1', writeGguf({version: 1}), 'gguf-version', 'version 1'],
  ['version 4', writeGguf({version: 4}), 'gguf-version', 'version 4'],
  ['big endian', writeGguf({version: 0x03000000}), 'gguf-version', 'big endian'],
];

const counts: Case[] = [
  ['2^63 tensors', begin(2n ** 63n, 0).toBuffer(), 'gguf-limit', 'n_tensors'],
  ['too many tensors', begin(300_000, 0).toBuffer(), 'gguf-limit', /n_tensors.*300000/],
  ['2^64 - 1 keys', begin(0, 2n ** 64n - 1n).toBuffer(), 'gguf-limit', 'n_kv'],
  ['too many keys', begin(0, 70_000).toBuffer(), 'gguf-limit', /n_kv.*70000/],
  ['a tensor less than counted', begin(1, 0).toBuffer(), 'gguf-truncated', 'n_tensors'],
  ['a key less than counted', begin(0, 1).toBuffer(), 'gguf-truncated', 'n_kv'],
  [
    'a key counted that is a tensor',
    begin(2, 1).string('a.weight').u32(2).u64(2).u64(2).u32(0).u64(0).toBuffer(),
    'gguf-tensor-info',
    'n_kv = 1',
  ],
];

const metadata: Case[] = [
  ['an empty key', writeGguf({metadata: {'': 1}}), 'gguf-metadata', 'key length of 0'],
  ['a long key', writeGguf({metadata: {['k'.repeat(65_536)]: 1}}), 'gguf-metadata', 'key length of 65536'],
  [
    'a key that is not UTF-8',
    begin(0, 1)
      .string(new Uint8Array([255]))
      .u32(4)
      .u32(1)
      .toBuffer(),
    'gguf-metadata',
    'UTF-8',
  ],
  [
    'a key given twice',
    begin(0, 2).string('twin').u32(4).u32(1).string('twin').u32(4).u32(2).toBuffer(),
    'gguf-metadata',
    'twin',
  ],
  ['an unknown value type', begin(0, 1).string('x.bad').u32(13).toBuffer(), 'gguf-metadata', /x\.bad.*13/],
  [
    'an unknown element type',
    begin(0, 1).string('x.bad').u32(9).u32(99).u64(0).toBuffer(),
    'gguf-metadata',
    /x\.bad.*99/,
  ],
  [
    'a string of 2^64 - 1',
    begin(0, 1)
      .string('x.s')
      .u32(8)
      .u64(2n ** 64n - 1n)
      .toBuffer(),
    'gguf-limit',
    'x.s',
  ],
  [
    'a string longer than the file',
    begin(0, 1).string('x.s').u32(8).u64(1000).toBuffer(),
    'gguf-truncated',
    'x.s',
  ],
  [
    'an array of 2^61',
    begin(0, 1)
      .string('x.a')
      .u32(9)
      .u32(10)
      .u64(2n ** 61n)
      .toBuffer(),
    'gguf-limit',
    'x.a',
  ],
  [
    'an array longer than the file',
    begin(0, 1).string('x.a').u32(9).u32(8).u64(9999).toBuffer(),
    'gguf-truncated',
    'x.a',
  ],
  [
    'a string of 2^40 in an array',
    begin(0, 1)
      .string('x.a')
      .u32(9)
      .u32(8)
      .u64(1)
      .u64(2 ** 40)
      .toBuffer(),
    'gguf-limit',
    'x.a',
  ],
  ['deeply nested arrays', nested(5000), 'gguf-limit', 'x.deep'],
  ...[0, 3, 4, 48, 2 ** 31].map((alignment): Case => [
    `an alignment of ${alignment}`,
    writeGguf({metadata: {'general.alignment': alignment}}),
    'gguf-metadata',
    `general.alignment must be a u32, a power of two from 8 to 2097152, not ${alignment}`,
  ]),
  [
    'an alignment of another type',
    writeGguf({metadata: {'general.alignment': {type: 'u64', value: 32}}}),
    'gguf-metadata',
    /general\.alignment.*u64/,
  ],
];

const tensors: Case[] = [
  ['a long name', oneTensor({name: 'n'.repeat(64)}), 'gguf-tensor-info', 'tensor name of 64'],
  [
    'a name of 2^60',
    begin(1, 0)
      .u64(2n ** 60n)
      .toBuffer(),
    'gguf-tensor-info',
    'tensor name',
  ],
  [
    'a name that is not UTF-8',
    begin(1, 0)
      .string(new Uint8Array([255]))
      .toBuffer(),
    'gguf-tensor-info',
    'UTF-8',
  ],
  ['two of one name', twoTensors({}, {}), 'gguf-tensor-info', 't.weight'],
  ['no dimensions', oneTensor({dimensions: []}), 'gguf-tensor-info', /t\.weight has 0 dimensions/],
  [
    'five dimensions',
    oneTensor({dimensions: [1, 1, 1, 1, 4]}),
    'gguf-tensor-info',
    /t\.weight has 5 dimensions/,
  ],
  ['a dimension of 0', oneTensor({dimensions: [4, 0]}), 'gguf-tensor-info', /t\.weight.*\[4, 0\]/],
  ['a dimension of -1', oneTensor({dimensions: [2n ** 64n - 1n]}), 'gguf-tensor-info', 't.weight'],
  ['2^53 elements', oneTensor({dimensions: [2 ** 27, 2 ** 26]}), 'gguf-tensor-info', 't.weight'],
  ['2^53 bytes', oneTensor({dimensions: [2 ** 26, 2 ** 26]}), 'gguf-tensor-info', 't.weight'],
  ['an unknown type', oneTensor({type: 200}), 'unsupported-tensor-type', /t\.weight.*200.*not known/],
  ['a removed type', oneTensor({type: 4}), 'unsupported-tensor-type', /t\.weight.*4.*removed/],
  [
    'part of a block',
    oneTensor({type: 12, dimensions: [16]}),
    'gguf-tensor-info',
    /t\.weight.*16.*256.*Q4_K/,
  ],
  [
    'a row of part of a block, in whole blocks together',
    oneTensor({type: 8, dimensions: [16, 2]}),
    'gguf-tensor-info',
    't.weight',
  ],
  ['a misaligned offset', oneTensor({offset: 4}), 'gguf-tensor-info', /t\.weight has the tensor offset 4/],
  ['an offset of 2^63', oneTensor({offset: 2n ** 63n}), 'gguf-tensor-info', /t\.weight has a tensor offset/],
  ['an offset behind the end', oneTensor({offset: 2 ** 30}), 'gguf-truncated', 't.weight'],
  [
    'the last byte missing',
    oneTensor({dimensions: [16]}).slice(0, -1),
    'gguf-truncated',
    /t\.weight.*tensor data/,
  ],
  [
    'overlap',
    twoTensors({}, {name: 'u.weight', offset: 32}),
    'gguf-tensor-info',
    'u.weight overlaps tensor t.weight',
  ],
  ['the same bytes twice', twoTensors({}, {name: 'u.weight', offset: 0}), 'gguf-tensor-info', /overlaps/],
];

function nested(depth: number): ArrayBuffer {
  const file = begin(0, 1).string('x.deep').u32(9);
  for (let i = 0; i < depth; i++) file.u32(9).u64(1);
  return file.u32(4).u64(0).toBuffer();
}

describe('readHeader refuses', () => {
  for (const [group, cases] of Object.entries({lookalikes, counts, metadata, tensors})) {
    describe(group, () => {
      for (const [name, file, error, message] of cases) {
        it(name, () => expectRefusal(() => readHeader(readPieces(file)), error, message));
      }
    });
  }

  it('a file of unknown length that ends inside its header, naming what is cut', async () => {
    const file = writeGguf({metadata: {'tokenizer.ggml.tokens': ['a', 'b', 'c']}});
    for (const length of [file.byteLength - 1, 90, 70]) {
      await expectRefusal(
        () => readHeader(readPieces(file.slice(0, length), 16, null)),
        'gguf-truncated',
        'tokenizer.ggml.tokens',
      );
    }
  });

  it('a download that ends early as a matter of the network', async () => {
    const file = writeGguf({metadata: {'general.name': 'x'.repeat(1000)}});
    await expectRefusal(
      () => readHeader(readPieces(file.slice(0, 500), 64, file.byteLength)),
      'network-truncated',
    );
  });
});
