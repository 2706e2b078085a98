import {expect} from '@open-wc/testing';
import {TemplateProgram} from '../../../worker-runtime/chat-template/template-program.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const render = (source: string, context: Record<string, unknown> = {}): string =>
  new TemplateProgram(source).render({messages: [], ...context}, new Date('2025-01-15T12:05:00'));

describe('TemplateProgram', () => {
  it('treats white space around blocks as transformers do', () => {
    const source = '{% if true %}\n  a\n  {% endif %}\nb\n';
    expect(render(source)).to.equal('  a\nb');
  });

  it('has the functions that transformers give', async () => {
    expect(render('{{ range(3) | list }}{{ range(5, 0, -2) | list }}')).to.equal('[0, 1, 2][5, 3, 1]');
    expect(render('{{ strftime_now("%d %b %Y, %H:%M") }}')).to.equal('15 Jan 2025, 12:05');
    expect(
      render(
        '{% set ns = namespace(n=1) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}',
      ),
    ).to.equal('4');
    expect(
      render('{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}'),
    ).to.equal('01');
    expect(render('{{ {"ä": [1, none, "x"]} | tojson }}')).to.equal('{"ä": [1, null, "x"]}');
    await expectRefusal(
      () => render('{{ raise_exception("no system role") }}'),
      'chat-template',
      'refuses the messages: no system role',
    );
  });

  for (const [name, source] of Object.entries({
    'an open block': '{% for m in messages %}{{ m }',
    'an unknown tag': '{% frobnicate %}',
    'a file': '{% include "/etc/passwd" %}',
    'an undefined function': '{{ nothing.here() }}',
    'a division by zero': '{{ 1 // 0 }}',
    'a remainder by zero': '{{ 1 % 0 }}',
    'a break outside of loops': '{% break %}',
  })) {
    it(`refuses ${name}`, async () => {
      const error = await expectRefusal(() => render(source), 'chat-template', 'tokenizer.chat_template');
      expect(error.field).to.equal('tokenizer.chat_template');
    });
  }

  it('reaches nothing of the host', async () => {
    await expectRefusal(
      () => render('{{ messages.constructor.constructor("return 1")() }}'),
      'chat-template',
    );
    expect(
      render('{{ messages.__proto__ }}{{ "".constructor }}{{ range.prototype }}{{ globalThis }}'),
    ).to.equal('');
  });
});
