import {expect} from '@open-wc/testing';
import type {ModelSource} from '../../../worker-runtime/protocol.ts';
import type {ByteReader} from '../../../worker-runtime/source/byte-reader.ts';
import {openSource} from '../../../worker-runtime/source/open-source.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const {signal} = new AbortController();
const megabyte = 1024 * 1024;
const text = 'GGUF and more';

async function readAll(reader: ByteReader, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await reader.fill(bytes);
  await reader.close();
  return bytes;
}

async function readText(source: ModelSource): Promise<string> {
  return new TextDecoder().decode(await readAll(await openSource(source, {signal}), text.length));
}

describe('openSource', () => {
  it('reads an ArrayBuffer, a Blob, a File and a blob: URL', async () => {
    const blob = new Blob([text]);
    const url = URL.createObjectURL(blob);
    expect(await readText(new TextEncoder().encode(text).buffer)).to.equal(text);
    expect(await readText(blob)).to.equal(text);
    expect(await readText(new File([text], 'model.gguf'))).to.equal(text);
    expect(await readText(url)).to.equal(text);
    URL.revokeObjectURL(url);
  });

  it('reads a file from a server, by a relative URL', async () => {
    const expected = new Uint8Array(await (await fetch('/LICENSE')).arrayBuffer());
    const reader = await openSource('/LICENSE', {signal});
    expect(await readAll(reader, expected.length)).to.deep.equal(expected);
  });

  it('reads a Blob of many slices, and stops reading when closed', async () => {
    const bytes = new Uint8Array(9 * megabyte + 5).map((_, i) => (i >>> 10) & 0xff);
    const reader = await openSource(new Blob([bytes]), {signal});
    await reader.skip(4 * megabyte - 1);
    const target = new Uint8Array(5 * megabyte + 6);
    await reader.fill(target);
    expect(target).to.deep.equal(bytes.subarray(4 * megabyte - 1));
    await expectRefusal(() => reader.fill(new Uint8Array(1)), 'gguf-truncated', 'Blob');
    await reader.close();
  });

  it('knows the length of what it reads', async () => {
    for (const source of [new Blob([text]), new TextEncoder().encode(text).buffer]) {
      const reader = await openSource(source, {signal});
      expect([reader.length, reader.lengthIsExact]).to.deep.equal([text.length, true]);
    }
  });

  it('refuses what is no source', async () => {
    await expectRefusal(() => openSource(42 as unknown as Blob, {signal}), 'invalid-source');
    await expectRefusal(() => openSource('http://', {signal}), 'invalid-source', 'http://');
  });

  it('says which file cannot be read, and where', async () => {
    const file = new File([text], 'moved.gguf');
    const slice = new Blob();
    slice.arrayBuffer = () => Promise.reject(new DOMException('it is gone', 'NotFoundError'));
    file.slice = () => slice;
    const reader = await openSource(file, {signal});
    await expectRefusal(() => reader.peek(1), 'file-unreadable', /moved\.gguf.*byte 0.*it is gone/);
  });

  it('does not begin when it was aborted before', async () => {
    await expectRefusal(() => openSource(new Blob([text]), {signal: AbortSignal.abort()}), 'load-aborted');
  });

  describe('progress', () => {
    it('ends with the last position', async () => {
      const reports: [number, number | null][] = [];
      const onProgress = (loaded: number, total: number | null): void => void reports.push([loaded, total]);
      const reader = await openSource(new Blob([new Uint8Array(1000)]), {signal, onProgress});
      for (let i = 0; i < 100; i++) await reader.fill(new Uint8Array(10));
      await reader.close();
      expect(reports.at(-1)).to.deep.equal([1000, 1000]);
      expect(reports.map(([loaded]) => loaded)).to.deep.equal([
        ...new Set(reports.map(([loaded]) => loaded)),
      ]);
      expect(reports.length, 'not one report a read').to.be.below(50);
    });
  });
});
