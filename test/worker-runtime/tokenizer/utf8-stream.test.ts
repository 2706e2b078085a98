import {expect} from '@open-wc/testing';
import {Utf8Stream} from '../../../worker-runtime/tokenizer/utf8-stream.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Utf8Stream', () => {
  it('holds back a character until it is complete', () => {
    const stream = new Utf8Stream();
    const pieces = [...bytes('aé€😀')].map((byte) => stream.push(Uint8Array.of(byte)));
    expect(pieces).to.deep.equal(['a', '', 'é', '', '', '€', '', '', '', '😀']);
    expect(stream.flush()).to.equal('');
  });

  it('passes through what is complete together with what is not', () => {
    const stream = new Utf8Stream();
    expect(stream.push(bytes('x€').subarray(0, 3))).to.equal('x');
    expect(stream.push(bytes('€').subarray(2))).to.equal('€');
  });

  it('replaces what is no UTF-8', () => {
    const stream = new Utf8Stream();
    expect(stream.push(Uint8Array.of(0x61, 0xff, 0x62, 0xc3))).to.equal('a\uFFFDb');
    expect(stream.push(Uint8Array.of(0x63))).to.equal('\uFFFDc');
  });

  it('ends an incomplete character with U+FFFD and can be used again', () => {
    const stream = new Utf8Stream();
    stream.push(Uint8Array.of(0xe2, 0x82));
    expect(stream.flush()).to.equal('\uFFFD');
    expect(stream.push(bytes('é'))).to.equal('é');
  });

  it('keeps U+FEFF', () => {
    expect(new Utf8Stream().push(bytes('\uFEFFa'))).to.equal('\uFEFFa');
  });
});
