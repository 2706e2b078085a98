import {expect} from '@open-wc/testing';
import {ChunkReader} from '../../../worker-runtime/source/chunk-reader.ts';
import {PieceStream, readPieces} from '../../helpers/piece-stream.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const bytes = Uint8Array.from({length: 1000}, (_, i) => (i * 7) & 0xff);

describe('ChunkReader', () => {
  for (const pieceLength of [1, 7, 64, 1000]) {
    it(`gives the same bytes in pieces of ${pieceLength}`, async () => {
      const reader = readPieces(bytes, pieceLength);
      const first = new Uint8Array(10);
      await reader.fill(first);
      expect([...first]).to.deep.equal([...bytes.subarray(0, 10)]);
      await reader.skip(90);
      expect(reader.position).to.equal(100);
      const peeked = await reader.peek(50);
      expect(peeked.length).to.be.at.least(50);
      expect([...peeked.subarray(0, 50)]).to.deep.equal([...bytes.subarray(100, 150)]);
      expect(reader.position, 'peek consumes nothing').to.equal(100);
      const rest = new Uint8Array(900);
      await reader.fill(rest);
      expect([...rest]).to.deep.equal([...bytes.subarray(100)]);
      expect(reader.position).to.equal(1000);
    });
  }

  it('fills views into a larger buffer and nothing beside them', async () => {
    const target = new Uint8Array(30).fill(255);
    await readPieces(bytes, 3).fill(target.subarray(10, 20));
    expect([...target]).to.deep.equal([
      ...Array(10).fill(255),
      ...bytes.subarray(0, 10),
      ...Array(10).fill(255),
    ]);
  });

  it('gives no promise for what is buffered', async () => {
    const reader = readPieces(bytes, 100);
    await reader.peek(1);
    expect(reader.fill(new Uint8Array(60))).to.equal(undefined);
    expect(reader.skip(40)).to.equal(undefined);
    expect(reader.fill(new Uint8Array(1))).to.be.instanceOf(Promise);
  });

  it('keeps a peeked view valid', async () => {
    const reader = readPieces(bytes, 10);
    const view = await reader.peek(10);
    await reader.skip(500);
    expect([...view.subarray(0, 10)]).to.deep.equal([...bytes.subarray(0, 10)]);
  });

  it('gives the buffers of consumed pieces back, but not of peeked ones', async () => {
    const stream = new PieceStream(bytes, 10);
    const reader = new ChunkReader(stream, {signal: new AbortController().signal});
    await reader.peek(15);
    await reader.fill(new Uint8Array(20));
    await reader.fill(new Uint8Array(10));
    expect(stream.spares, 'the first two were peeked at').to.equal(0);
    await reader.fill(new Uint8Array(20));
    expect(stream.spares).to.equal(2);
  });

  it('reads no more pieces than were asked for', async () => {
    const stream = new PieceStream(bytes, 100);
    const reader = new ChunkReader(stream, {signal: new AbortController().signal});
    await reader.fill(new Uint8Array(150));
    expect(stream.reads).to.equal(2);
  });

  it('peeks less at the end, and fails to fill or skip beyond it', async () => {
    expect((await readPieces(bytes, 64, null).peek(5000)).length).to.equal(1000);
    await expectRefusal(
      () => readPieces(bytes, 64, null).fill(new Uint8Array(1001)),
      'network-truncated',
      '1000',
    );
    await expectRefusal(() => readPieces(bytes, 64, null).skip(1001), 'network-truncated', '1000');
  });

  it('refuses to peek where fewer bytes came than were promised', async () => {
    await expectRefusal(() => readPieces(bytes, 64, 2000).peek(1500), 'network-truncated');
  });

  it('takes back a length that turns out too small', async () => {
    const reader = readPieces(bytes, 64, 500);
    expect([reader.length, reader.lengthIsExact]).to.deep.equal([500, true]);
    await reader.skip(600);
    expect([reader.length, reader.lengthIsExact]).to.deep.equal([null, false]);
  });

  describe('abort', () => {
    /** A source that never answers again after its first piece. */
    function stalled(): {controller: AbortController; stream: PieceStream; reader: ChunkReader} {
      const stream = new PieceStream(bytes, 100);
      const read = stream.read.bind(stream);
      stream.read = () => (stream.reads === 0 ? read() : new Promise(() => undefined));
      const controller = new AbortController();
      return {controller, stream, reader: new ChunkReader(stream, {signal: controller.signal})};
    }

    for (const [name, call] of [
      ['fill', (reader: ChunkReader) => reader.fill(new Uint8Array(200))],
      ['skip', (reader: ChunkReader) => reader.skip(200)],
      ['peek', (reader: ChunkReader) => reader.peek(200)],
    ] as const) {
      it(`ends a pending ${name} at once and cancels the source`, async () => {
        const {controller, stream, reader} = stalled();
        const pending = call(reader);
        setTimeout(() => controller.abort());
        await expectRefusal(() => pending, 'load-aborted');
        expect(stream.cancelled).to.equal(true);
        await expectRefusal(() => call(reader), 'load-aborted');
      });
    }

    it('between two reads is seen by the next', async () => {
      const {controller, reader} = stalled();
      await reader.fill(new Uint8Array(50));
      controller.abort();
      await expectRefusal(async () => reader.fill(new Uint8Array(1)), 'load-aborted');
    });
  });

  it('closes once, cancels the source and gives nothing after that', async () => {
    const stream = new PieceStream(bytes, 100);
    const reader = new ChunkReader(stream, {signal: new AbortController().signal});
    await reader.close();
    await reader.close();
    expect(stream.cancelled).to.equal(true);
    await expectRefusal(async () => reader.fill(new Uint8Array(1)), 'load-aborted');
  });
});
