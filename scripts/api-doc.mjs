/**
 * Writes `docs/api.md`, the element's reference, from the custom-elements manifest (`npm run build:manifest`), whose
 * source is the docblock of the class; with `--check`, fails where the file is out of step.
 */
import {readFileSync} from 'node:fs';
import {generatedDoc} from './generated-doc.mjs';

const manifestFile = new URL('../dist/custom-elements.json', import.meta.url);
const target = new URL('../docs/api.md', import.meta.url);

const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
const element = manifest.modules
  .flatMap(({declarations}) => declarations ?? [])
  .find(({tagName}) => tagName === 'gguf-chat');
if (!element) throw new Error('the manifest has no <gguf-chat>');

const cell = (text = '') => String(text).replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
const code = (text) => (text ? `\`${cell(text)}\`` : '');

function table(title, heads, rows) {
  if (rows.length === 0) return '';
  const lines = rows.map((row) => `| ${row.join(' | ')} |`);
  return `## ${title}\n\n| ${heads.join(' | ')} |\n|${heads.map(() => '---').join('|')}|\n${lines.join('\n')}\n`;
}

const isPublic = ({privacy, name, static: fixed}) =>
  privacy !== 'private' && privacy !== 'protected' && !fixed && !/^[#_]/.test(name);
const members = (element.members ?? []).filter(isPublic);
const signature = ({name, parameters = [], return: result}) =>
  `${name}(${parameters.map((p) => `${p.name}${p.optional || p.default ? '?' : ''}: ${p.type?.text ?? 'unknown'}`).join(', ')})` +
  (result?.type?.text ? `: ${result.type.text}` : '');

/** The docblock's notation for events, in words. */
const inWords = (text = '') =>
  text.replace(
    /\s*--bubbles --composed( --cancelable)?/,
    (_, cancelable) => ` Bubbles, composed${cancelable ? ', cancelable' : ''}.`,
  );

const described = (list = []) =>
  list.map(({name, description}) => [code(name || '(default)'), cell(description)]);

const sections = [
  table(
    'Attributes',
    ['attribute', 'property', 'type', 'default', 'what it does'],
    (element.attributes ?? []).map((a) => [
      code(a.name),
      code(a.fieldName),
      code(a.type?.text),
      code(a.default),
      cell(a.description),
    ]),
  ),
  table(
    'Properties without attribute',
    ['property', 'type', 'what it is'],
    members
      .filter(({kind, attribute, description}) => kind === 'field' && !attribute && description)
      .map((m) => [
        code(m.name),
        code(m.type?.text),
        cell(m.description) + (m.readonly ? ' Read-only.' : ''),
      ]),
  ),
  table(
    'Methods',
    ['method', 'what it does'],
    members
      .filter(({kind, description}) => kind === 'method' && description)
      .map((m) => [code(signature(m)), cell(m.description)]),
  ),
  table(
    'Events',
    ['event', 'type', 'when'],
    (element.events ?? [])
      .filter(({name}) => name)
      .map((e) => [code(e.name), code(e.type?.text), cell(inWords(e.description))]),
  ),
  table('Slots', ['slot', 'what goes there'], described(element.slots)),
  table('Parts', ['part', 'what it is'], described(element.cssParts)),
  table(
    'Custom properties',
    ['property', 'default', 'what it sets'],
    (element.cssProperties ?? []).map((p) => [code(p.name), code(p.default), cell(p.description)]),
  ),
  table('States', ['state', 'when'], described(element.cssStates)),
];

const text = `# \`<gguf-chat>\`

${element.description ?? ''}

Generated from the element's docblock by \`npm run docs\`. The headless API is documented in \`worker-runtime/client/\`.

${sections.filter(Boolean).join('\n')}`;

generatedDoc(target, text);
