import {expect} from '@open-wc/testing';
import {TemplateProgram} from '../../../worker-runtime/chat-template/template-program.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

/** Makes `big`, half a million letters. */
const big =
  '{% set ns = namespace(s="aaaaaaaa") %}{% for i in range(16) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{% set big = ns.s %}';
/** Makes `twin.a`, a list that has 2^60 elements to whoever walks through it. */
const twin = '{% set twin = namespace(a=[1]) %}{% for i in range(60) %}{% set twin.a = [twin.a, twin.a] %}';

const hostile: Readonly<Record<string, string>> = {
  'a loop of a billion steps': '{% for i in range(1000000000) %}x{% endfor %}',
  'nested empty loops': '{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}',
  'a string that doubles':
    '{% set ns = namespace(s="x") %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}',
  'a replacement that multiplies': `${big}{{ big | replace("a", big) }}`,
  'a replacement between all characters': `${big}{{ big.replace("", big) }}`,
  'a replacement under another name': `${big}{% set f = big.replace %}{{ f("a", big) }}`,
  'a replacement by a computed name': `${big}{{ big["re" ~ "place"]("a", big) }}`,
  'a replacement out of an object': `${big}{% set o = {"f": big.replace} %}{{ o.f("a", big) }}`,
  'a replacement with a block': `${big}{% set f = big.replace %}{% call f("a", big) %}{% endcall %}`,
  'a replacement of a block': `${big}{% filter replace("a", big) %}{{ big }}{% endfilter %}`,
  'a long block': `${big}{% filter upper %}${'{{ big }}'.repeat(99)}{% endfilter %}`,
  'a long separator': `${big}{{ big.split("a") | join(big) }}`,
  'a long separator between characters': `${big}{{ big | join(big) }}`,
  'a wide indentation': '{{ "a\\nb" | indent(1000000000) }}',
  'a wide indentation, by keyword': '{{ [[1], [2]] | tojson(indent=1000000000) }}',
  'long separators of JSON': `${big}{{ range(999) | tojson(separators=(big, big)) }}`,
  'a list of twins, written': `${twin}{% endfor %}{{ twin.a }}`,
  'a list of twins, compared': `${twin}{% if twin.a == "x" %}{% endif %}{% endfor %}`,
  'a list of twins, as JSON': `${twin}{% endfor %}{{ twin.a | tojson | length }}`,
  'a deep list':
    '{% set ns = namespace(a=[]) %}{% for i in range(99999) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}',
  'a namespace in itself': '{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}',
  'a namespace in a list in itself': '{% set ns = namespace(a=1) %}{% set ns.a = [ns] %}{{ ns }}',
  'a macro without end': '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
  'a macro that calls itself twice':
    '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}',
  'callers that call twice':
    '{% macro f() %}{{ caller() }}{{ caller() }}{% endmacro %}' +
    `${'{% call f() %}'.repeat(40)}x${'{% endcall %}'.repeat(40)}`,
  'many long searches': `${big}{% for i in range(9999) %}{% if big ~ "b" in big %}{% endif %}{% endfor %}`,
  'many long changes': `${big}{% for i in range(9999) %}{% set x = big | upper %}{% endfor %}`,
  'many long slices': `${big}{% for i in range(9999) %}{% set x = big[1:] %}{% endfor %}`,
  'many long lists': `${big}{% for i in range(9999) %}{% set x = big.split("a") %}{% endfor %}`,
  'many preparations of a long macro': `{% for i in range(99999) %}{% macro f() %}${'{{ i }}'.repeat(9999)}{% endmacro %}{% endfor %}`,
  'deep brackets': `{{ ${'('.repeat(20_000)}1${')'.repeat(20_000)} }}`,
  'deep lists': `{{ ${'['.repeat(20_000)}1${']'.repeat(20_000)} }}`,
  'deep blocks': '{% if true %}'.repeat(20_000) + '{% endif %}'.repeat(20_000),
  'a chain of alternatives': `{% if x %}${'{% elif x %}'.repeat(20_000)}{% endif %}`,
  'a chain of negations': `{{ ${'not '.repeat(20_000)}1 }}`,
  'a chain of signs': `{{ ${'- '.repeat(20_000)}1 }}`,
  'a chain of sums': `{{ 1${' + 1'.repeat(20_000)} }}`,
  'a chain of filters': `{{ "a"${' | trim'.repeat(20_000)} }}`,
  'a chain of members': `{{ a${'.b'.repeat(20_000)} }}`,
  'half a million spaces': `a${' '.repeat(500_000)}b`,
  'a megabyte of text': 'x'.repeat(1_000_000),
};

describe('the bounds of chat templates', () => {
  for (const [name, source] of Object.entries(hostile)) {
    it(`end ${name}`, async () => {
      const render = (): string =>
        new TemplateProgram(source).render({messages: [{role: 'user', content: 'hi'}]});
      const error = await expectRefusal(render, 'chat-template', 'tokenizer.chat_template');
      expect(error.cause, 'refused on purpose, not by accident').to.have.property(
        'name',
        'TemplateLimitError',
      );
    });
  }

  it('leave room for long conversations', () => {
    const source =
      '{% for m in messages %}{% if "</think>" in m.content %}{{ m.content.split("</think>")[-1] | trim }}' +
      '{% else %}{{ m.content | replace("a", "bb") }}{% endif %}{{ m | tojson(indent=2) }}{% endfor %}';
    const program = new TemplateProgram(source);
    const messages = (count: number, content: string) =>
      Array.from({length: count}, () => ({role: 'user', content}));
    expect(program.render({messages: messages(5000, 'hi')}).length).to.be.greaterThan(100_000);
    expect(program.render({messages: messages(1000, 'a '.repeat(1000))}).length).to.be.greaterThan(5_000_000);
    expect(program.render({messages: messages(2, 'a</think>'.repeat(200_000))}).length).to.be.greaterThan(
      3_000_000,
    );
  });
});
