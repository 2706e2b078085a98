import {expect} from '@open-wc/testing';
import {setMarkdown} from '../../components/markdown/markdown-body.ts';
import {safeUrl} from '../../components/markdown/safe-url.ts';

interface Rendered {
  readonly root: HTMLElement;
  readonly code: [string, string][];
}

/** @param step characters at once; by default all */
function render(text: string, step = Infinity): Rendered {
  const root = document.createElement('div');
  const code: [string, string][] = [];
  const onCode = (element: HTMLElement, language: string): void =>
    void code.push([element.textContent ?? '', language]);
  for (let end = step; end < text.length; end += step) {
    setMarkdown(root, text.slice(0, end), {growing: true, onCode});
  }
  setMarkdown(root, text, {growing: false, onCode});
  return {root, code};
}

/** Elements and text, without attributes. */
function outline(root: Element): string {
  const inside = (element: Element): string =>
    Array.from(element.childNodes, (node) =>
      node instanceof Element ? outlined(node) : (node.textContent ?? ''),
    ).join('');
  const outlined = (element: Element): string => {
    const name = element.localName;
    return `<${name}>${inside(element)}</${name}>`;
  };
  return inside(root);
}

const html = (text: string): string => outline(render(text).root);

describe('Markdown in answers', () => {
  it('becomes headings below those of a page, paragraphs and emphasis', () => {
    expect(html('# One\n\ntwo *three* **four** ~~five~~')).to.equal(
      '<h3>One</h3><p>two <em>three</em> <strong>four</strong> <s>five</s></p>',
    );
  });

  it('becomes lists, also nested and numbered from elsewhere', () => {
    const {root} = render('3. one\n4. two\n\n- a\n  - b\n- c\n');
    expect(root.querySelector('ol')?.getAttribute('start')).to.equal('3');
    expect(root.querySelectorAll('ol > li').length).to.equal(2);
    expect(root.querySelectorAll('ul ul > li').length).to.equal(1);
  });

  it('becomes tables that can be scrolled, with a head', () => {
    const {root} = render('| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nend');
    expect(root.querySelectorAll('thead th').length).to.equal(2);
    expect(root.querySelectorAll('tbody tr').length).to.equal(2);
    expect(root.querySelector<HTMLElement>('.table')?.tabIndex).to.equal(0);
  });

  it('becomes blocks of code with their language and a button, and tells of them', () => {
    const {root, code} = render('```js\nlet a = "<b>";\n```\n\ndone');
    expect(root.querySelector('pre code')?.textContent).to.equal('let a = "<b>";');
    expect(root.querySelector('.code-language')?.textContent).to.equal('js');
    expect(root.querySelector('.copy-code')).to.exist;
    expect(code).to.deep.equal([['let a = "<b>";', 'js']]);
  });

  it('becomes links to the web and to mail only, and images become links', () => {
    const {root} = render('[a](https://a.example/x) ![b](https://b.example/y.png) [c](javascript:alert(1))');
    expect([...root.querySelectorAll('a')].map((link) => link.getAttribute('href'))).to.deep.equal([
      'https://a.example/x',
      'https://b.example/y.png',
      null,
    ]);
    expect(root.querySelector('img')).to.equal(null);
    expect(root.querySelector('a')?.rel).to.contain('noopener');
  });

  it('is the same whether it comes at once or letter by letter, and keeps what is there', () => {
    const text =
      '# Head\n\nA *b* `c`\n\n- d\n- e\n\n```py\nf = 1\n```\n\n| g | h |\n|---|---|\n| 1 | 2 |\n\n> i\n';
    for (const step of [1, 3, 7]) expect(outline(render(text, step).root)).to.equal(html(text));
    const root = document.createElement('div');
    const options = {growing: true, onCode: () => undefined};
    setMarkdown(root, 'one two ', options);
    const first = root.firstChild;
    setMarkdown(root, 'one two three', options);
    expect(root.firstChild).to.equal(first);
  });

  it('begins anew where the text is another one', () => {
    const root = document.createElement('div');
    const options = {growing: true, onCode: () => undefined};
    setMarkdown(root, 'one', options);
    setMarkdown(root, 'two', {...options, growing: false});
    expect(root.textContent).to.equal('two');
  });
});

/** URLs that would do something, in the ways that filters are got around with. */
const hostileUrls = [
  ...[
    'javascript',
    'JaVaScRiPt',
    'vbscript',
    'data',
    'blob',
    'file',
    'filesystem',
    'view-source',
    'about',
    'ws',
  ].flatMap((scheme) => [
    `${scheme}:alert(1)`,
    ` ${scheme}:alert(1)`,
    `${scheme}\t:alert(1)`,
    `${scheme}:\talert(1)`,
    `\u0001${scheme}:alert(1)`,
    `${scheme}:text/html,<script>alert(1)</script>`,
    `${scheme}://x%0aalert(1)`,
  ]),
  'java\nscript:alert(1)',
  'java\tscript:alert(1)',
  'javascript&colon;alert(1)',
  'javascript&#58;alert(1)',
  '&#106;avascript:alert(1)',
  '//evil.example/x',
  '/relative',
  '#fragment',
  '?query',
  '',
  'https:',
  'http://',
];

/** Text that would be HTML elsewhere. */
const hostileHtml = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<object data="javascript:alert(1)">',
  '<embed src="javascript:alert(1)">',
  '<a href="javascript:alert(1)">x</a>',
  '<form action="javascript:alert(1)"><button>x',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<style>@import "https://evil.example/x.css"</style>',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<input autofocus onfocus=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<video><source onerror=alert(1)>',
  '<body onload=alert(1)>',
  '<template><script>alert(1)</script></template>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<!--><img src=x onerror=alert(1)>-->',
  ']]><script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\u2028<script>alert(1)</script>',
];

const corpus = [
  ...hostileUrls.flatMap((url) => [`[x](${url})`, `![x](${url})`]),
  ...hostileHtml.flatMap((text) => [
    text,
    `**${text}**`,
    `- ${text}`,
    `> ${text}`,
    `| a | b |\n|---|---|\n| ${text} | x |\n`,
    `\`\`\`${text}\n${text}\n\`\`\``,
    `[${text}](https://a.example "${text}")`,
  ]),
];

const allowedElements = new Set(
  'P BR HR H3 H4 H5 H6 EM STRONG S CODE UL OL LI BLOCKQUOTE A INPUT DIV TABLE THEAD TBODY TR TH TD SPAN BUTTON PRE'.split(
    ' ',
  ),
);
const allowedAttributes = new Set(
  'href target rel part class start type disabled checked tabindex role aria-label data-language'.split(' '),
);

describe('hostile answers', () => {
  it(`are ${corpus.length}, and none becomes anything but harmless elements`, () => {
    expect(corpus.length).to.be.greaterThan(150);
    for (const text of corpus) {
      for (const step of [Infinity, 1]) {
        const {root} = render(text, step);
        for (const element of root.querySelectorAll('*')) {
          expect(allowedElements, `${element.tagName} of ${text}`).to.include(element.tagName);
          for (const {name, value} of element.attributes) {
            expect(allowedAttributes, `${name} of ${text}`).to.include(name);
            if (name === 'href') expect(new URL(value).protocol, text).to.match(/^(https?|mailto):$/);
            expect(name.startsWith('on'), text).to.equal(false);
          }
        }
      }
    }
  });

  it('request nothing', () => {
    const before = performance.getEntriesByType('resource').length;
    for (const text of corpus) document.body.append(render(text).root);
    expect(performance.getEntriesByType('resource').length).to.equal(before);
  });

  it('have no links but whole ones to the web and to mail', () => {
    for (const url of hostileUrls) expect(safeUrl(url), JSON.stringify(url)).to.equal(null);
    expect(safeUrl('HTTPS://a.example')).to.equal('https://a.example/');
    expect(safeUrl('mailto:a@b.example')).to.equal('mailto:a@b.example');
  });
});
