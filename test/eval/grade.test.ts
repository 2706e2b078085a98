import {expect} from '@open-wc/testing';
import {problemOf, shortcomings} from './grade.mjs';

describe('the grades of the evaluation', () => {
  it('want every text, and of a list one', () => {
    expect(shortcomings('Set `top-p`.', {all: ['set', ['top-k', 'top-p']]})).to.deep.equal([]);
    expect(shortcomings('Set `seed`.', {all: ['set', ['top-k', 'top-p']]})).to.deep.equal([
      'lacks top-k or top-p',
    ]);
  });

  it('count a word, not a part of one', () => {
    expect(shortcomings('It is rendered.', {all: ['red']})).to.have.length(1);
    expect(shortcomings('It is Red!', {all: ['red']})).to.deep.equal([]);
    expect(shortcomings('temperature="0.7"', {all: ['temperature="0.7"']})).to.deep.equal([]);
  });

  it('refuse what must not be there, too many words, another form, and nothing at all', () => {
    expect(shortcomings('one two', {none: ['two']})).to.deep.equal(['has two']);
    expect(shortcomings('one two', {maxWords: 1})).to.deep.equal(['has 2 words']);
    expect(shortcomings('c-a-t', {matches: 'c-?a-?r'})).to.deep.equal(['does not match c-?a-?r']);
    expect(shortcomings(' ', {none: ['x']})).to.deep.equal(['is empty']);
  });

  it('refuse a question without an expectation', () => {
    const question = {id: 'a', topic: 'facts', turns: ['?'], expect: {all: ['x']}};
    expect(problemOf(question)).to.equal(null);
    expect(problemOf({...question, expect: {}})).to.equal('expects nothing');
    expect(problemOf({...question, turns: []})).to.equal('needs turns');
    expect(problemOf({...question, expect: {all: ['x'], any: ['x']}})).to.equal('has an unknown key any');
  });
});
