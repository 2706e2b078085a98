/** Results as nodes of the page. */
import type {Row} from '../../test/bench/report.mjs';
import type {Result} from './measurement.ts';
import {endingOf, factsOf, rowsOfResult, titleOf} from './report.ts';

/** A card with what one result says. */
export function resultCard(result: Result): HTMLElement {
  const ending = endingOf(result);
  const rows = rowsOfResult(result);
  const card = create(
    'section',
    create('h3', titleOf(result)),
    ...(ending === null ? [] : [create('p', ending)]),
    create('p', factsOf(result).join(' · ')),
    ...(rows.length > 0 ? [tableOfRows(rows)] : []),
  );
  card.className = 'card stack result';
  card.querySelector('p:last-of-type')!.className = 'hint';
  return card;
}

/** Pairs for a `dl`. */
export function definitions(pairs: readonly (readonly [name: string, value: string])[]): HTMLElement[] {
  return pairs.flatMap(([name, value]) => [create('dt', name), create('dd', value)]);
}

function tableOfRows(rows: readonly Row[]): HTMLElement {
  const head = ['figure', 'median', 'p95 (slow side)'].map((name) => header('col', name));
  return create('table', create('thead', create('tr', ...head)), create('tbody', ...rows.map(rowOf)));
}

function rowOf({title, median, p95, isRatio}: Row): HTMLElement {
  const row = create('tr', header('row', title), create('td', median), create('td', p95));
  row.classList.toggle('ratio', isRatio === true);
  return row;
}

function header(scope: 'col' | 'row', text: string): HTMLElement {
  const cell = create('th', text);
  cell.scope = scope;
  return cell;
}

function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}
