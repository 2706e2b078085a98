import {expect} from '@open-wc/testing';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import type {Metadata} from '../../../worker-runtime/gguf/metadata.ts';
import {ByteWriter, writeGguf} from '../../helpers/gguf-writer.ts';
import type {MetadataInput} from '../../helpers/gguf-writer.ts';
import {readPieces} from '../../helpers/piece-stream.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

async function read(metadata: Record<string, MetadataInput>): Promise<Metadata> {
  return (await readHeader(readPieces(writeGguf({metadata})))).metadata;
}

describe('Metadata', () => {
  it('reads every scalar type', async () => {
    const metadata = await read({
      u8: {type: 'u8', value: 255},
      i8: {type: 'i8', value: -128},
      u16: {type: 'u16', value: 65535},
      i16: {type: 'i16', value: -32768},
      u32: {type: 'u32', value: 2 ** 32 - 1},
      i32: {type: 'i32', value: -(2 ** 31)},
      f32: {type: 'f32', value: 0.5},
      f64: {type: 'f64', value: 0.1},
      u64: {type: 'u64', value: 2 ** 53 - 1},
      i64: {type: 'i64', value: -(2 ** 53 - 1)},
      true: true,
      false: false,
      string: 'naïve 🙂',
      empty: '',
    });
    const numbers = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'u64', 'i64'].map((key) =>
      metadata.number(key),
    );
    expect(numbers).to.deep.equal([
      255,
      -128,
      65535,
      -32768,
      2 ** 32 - 1,
      -(2 ** 31),
      0.5,
      0.1,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
    ]);
    expect([metadata.boolean('true'), metadata.boolean('false')]).to.deep.equal([true, false]);
    expect([metadata.string('string'), metadata.string('empty')]).to.deep.equal(['naïve 🙂', '']);
    expect([metadata.has('u8'), metadata.has('none')]).to.deep.equal([true, false]);
    expect([metadata.typeOf('u8'), metadata.typeOf('string'), metadata.typeOf('none')]).to.deep.equal([
      'u8',
      'string',
      undefined,
    ]);
  });

  it('reads arrays of every type', async () => {
    const metadata = await read({
      odd: 'x', // So that the arrays behind do not lie aligned.
      i16: {type: 'i16', value: [-1, 2]},
      f32: new Float32Array([0.5, -0.25]),
      f64: {type: 'f64', value: [0.1]},
      u64: {type: 'u64', value: [1, 2 ** 40]},
      i64: {type: 'i64', value: [-1, 2 ** 40]},
      none: new Int32Array(),
      bools: [true, false],
      strings: ['a', '', 'ß'],
    });
    const numbers = (key: string): number[] => Array.from(metadata.numbers(key) ?? []);
    expect(numbers('i16')).to.deep.equal([-1, 2]);
    expect(numbers('f32')).to.deep.equal([0.5, -0.25]);
    expect(numbers('f64')).to.deep.equal([0.1]);
    expect(numbers('u64')).to.deep.equal([1, 2 ** 40]);
    expect(numbers('i64')).to.deep.equal([-1, 2 ** 40]);
    expect(metadata.numbers('none')?.length).to.equal(0);
    expect(metadata.booleans('bools')).to.deep.equal([true, false]);
    expect(metadata.strings('strings')?.length).to.equal(3);
    expect([
      metadata.numbers('absent'),
      metadata.strings('absent'),
      metadata.booleans('absent'),
    ]).to.deep.equal([undefined, undefined, undefined]);
    expect(metadata.typeOf('strings')).to.equal('array of string');
  });

  it('gives strings of an array as text and as bytes', async () => {
    const tokens = ['', '\ufeffmark', '▁the', 'line\nend', '\0', '🙂'];
    const strings = (await read({tokens})).strings('tokens');
    expect(tokens.map((_, i) => strings?.at(i))).to.deep.equal(tokens);
    expect([...(strings?.bytesAt(2) ?? [])]).to.deep.equal([...new TextEncoder().encode('▁the')]);
    expect(() => strings?.at(6)).to.throw(RangeError);
    expect(() => strings?.at(-1)).to.throw(RangeError);
  });

  it('keeps bytes that are not UTF-8, and shows them as U+FFFD', async () => {
    const file = new ByteWriter().bytes(new TextEncoder().encode('GGUF')).u32(3).u64(0).u64(2);
    file
      .string('name')
      .u32(8)
      .string(new Uint8Array([0x61, 0xff]));
    file
      .string('tokens')
      .u32(9)
      .u32(8)
      .u64(1)
      .string(new Uint8Array([0xff, 0x62]));
    const {metadata} = await readHeader(readPieces(file.toBuffer()));
    expect(metadata.string('name')).to.equal('a\ufffd');
    expect(metadata.strings('tokens')?.at(0)).to.equal('\ufffdb');
    expect([...(metadata.strings('tokens')?.bytesAt(0) ?? [])]).to.deep.equal([0xff, 0x62]);
  });

  it('gives the fallback for a missing key only', async () => {
    const metadata = await read({zero: 0, off: false, empty: ''});
    expect([
      metadata.number('zero', 7),
      metadata.number('none', 7),
      metadata.integer('none', 7),
    ]).to.deep.equal([0, 7, 7]);
    expect([metadata.boolean('off', true), metadata.boolean('none', true)]).to.deep.equal([false, true]);
    expect([metadata.string('empty', 'x'), metadata.string('none', 'x')]).to.deep.equal(['', 'x']);
    for (const type of ['number', 'integer', 'boolean', 'string'] as const) {
      await expectRefusal(() => metadata[type]('a.missing.key'), 'missing-key', 'a.missing.key');
    }
  });

  it('names key and both types where the type is another', async () => {
    const metadata = await read({number: 1.5, text: 'x', flag: true, list: ['x'], lists: [1], flags: [true]});
    const wrong: [() => unknown, RegExp][] = [
      [() => metadata.number('text'), /text must be a number, not string/],
      [() => metadata.number('list', 1), /list must be a number, not array of string/],
      [() => metadata.number('flag'), /flag must be a number, not bool/],
      [() => metadata.integer('number'), /number must be an integer, not f32/],
      [() => metadata.integer('text'), /text must be a number, not string/],
      [() => metadata.string('number'), /number must be a string, not f32/],
      [() => metadata.boolean('number'), /number must be a bool, not f32/],
      [() => metadata.strings('text'), /text must be an array of string, not string/],
      [() => metadata.strings('lists'), /lists must be an array of string, not array of u32/],
      [() => metadata.numbers('list'), /list must be an array of numbers, not array of string/],
      [() => metadata.numbers('flags'), /flags must be an array of numbers, not array of bool/],
      [() => metadata.booleans('lists'), /lists must be an array of bool, not array of u32/],
    ];
    for (const [get, message] of wrong) await expectRefusal(get, 'gguf-metadata', message);
  });

  it('refuses integers that a double does not hold, when they are asked for', async () => {
    const metadata = await read({
      large: 2n ** 53n,
      least: -(2n ** 63n),
      list: {type: 'u64', value: [1n, 2n ** 64n - 1n]},
    });
    await expectRefusal(() => metadata.number('large'), 'gguf-metadata', /large.*9007199254740992/);
    await expectRefusal(() => metadata.number('least'), 'gguf-metadata', 'least');
    await expectRefusal(() => metadata.numbers('list'), 'gguf-metadata', /list.*18446744073709551615/);
  });

  it('passes over nested arrays', async () => {
    const file = new ByteWriter().bytes(new TextEncoder().encode('GGUF')).u32(3).u64(0).u64(2);
    file.string('nested').u32(9).u32(9).u64(2);
    file.u32(8).u64(1).string('inner').u32(4).u64(3).u32(1).u32(2).u32(3);
    file.string('after').u32(4).u32(42);
    const {metadata} = await readHeader(readPieces(file.toBuffer()));
    expect(metadata.number('after')).to.equal(42);
    await expectRefusal(() => metadata.numbers('nested'), 'gguf-metadata', 'array of array');
  });
});
