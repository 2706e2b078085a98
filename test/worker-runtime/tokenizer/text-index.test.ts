import {expect} from '@open-wc/testing';
import {StringArray} from '../../../worker-runtime/gguf/string-array.ts';
import {TextIndex} from '../../../worker-runtime/tokenizer/text-index.ts';

const utf8 = new TextEncoder();

/** Strings as they lie in a file: each behind its length. */
function stringArray(strings: readonly string[]): StringArray {
  const parts = strings.map((text) => utf8.encode(text));
  const bytes = new Uint8Array(parts.reduce((sum, {length}) => sum + 8 + length, 0));
  const starts = new Uint32Array(strings.length + 1);
  let place = 8;
  parts.forEach((part, index) => {
    starts[index] = place;
    bytes.set(part, place);
    place += part.length + 8;
  });
  starts[strings.length] = place;
  return new StringArray(bytes, starts);
}

/** The index of `strings`, and how to ask it. */
function indexOf(strings: readonly string[]): (text: string, second?: string) => number {
  const index = new TextIndex(stringArray(strings));
  strings.forEach((_, place) => index.add(place));
  return (text, second = '') => {
    const bytes = utf8.encode(`${text} ${second}`);
    const middle = utf8.encode(text).length;
    return index.findJoined(bytes, 0, middle, middle + 1, bytes.length);
  };
}

describe('TextIndex', () => {
  const words = Array.from({length: 5000}, (_, index) => `w${(index * 7919) % 100_003}`);

  it('finds each of many strings, and no other', () => {
    const find = indexOf(words);
    words.forEach((word, index) => expect(find(word)).to.equal(index));
    expect(find('w')).to.equal(-1);
    expect(find('w1000000')).to.equal(-1);
  });

  it('finds what two pieces make', () => {
    const find = indexOf(['ab', 'abc', 'naïve', 'c']);
    expect(find('a', 'bc')).to.equal(1);
    expect(find('abc', '')).to.equal(1);
    expect(find('', 'ab')).to.equal(0);
    expect(find('na', 'ïve')).to.equal(2);
    expect(find('a', 'c')).to.equal(-1);
  });

  it('keeps the first of equal strings', () => {
    expect(indexOf(['b', 'a', 'a'])('a')).to.equal(1);
  });
});
