import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PATRON_FIELDS, SETTABLE_FIELDS } from '@passport/contract';
import { compareCalls, parseCallTable } from './call-table.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../calls.md'), 'utf8');

const table = (...rows: string[]): string =>
  [
    'fields: surname firstname',
    '| call | parts | for | releases | permission | witness |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
const rows = parseCallTable(
  table(
    '| `GET /patrons` | `?_per_page=100 ?q={cardnumber=} [?_page=*]` | x | all | x | x |',
    '| `POST /patrons` | `@x-koha-library cardnumber [fields]` | x | all | x | x |',
  ),
);

describe('the table of calls', () => {
  test.each<[string, string, string[]]>([
    ['as it stands there', 'GET /patrons', ['?_per_page=100', '?q={cardnumber=}']],
    ['with an optional part', 'GET /patrons', ['?_page=*', '?_per_page=100', '?q={cardnumber=}']],
    ['with one of the fields', 'POST /patrons', ['@x-koha-library', 'cardnumber', 'surname']],
  ])('knows a request %s', (_what, call, parts) => {
    expect(compareCalls(rows, [{ call, parts }], false)).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    ['of another route', 'GET /items', []],
    ['that lacks a part', 'GET /patrons', ['?_per_page=100']],
    ['with another filter', 'GET /patrons', ['?_per_page=100', '?q={userid=}']],
    ['with another order', 'GET /patrons', ['?_order_by=patron_id', '?_per_page=100', '?q={cardnumber=}']],
    ['with a further key in its body', 'POST /patrons', ['@x-koha-library', 'cardnumber', 'password']],
  ])('does not know a request %s', (_what, call, parts) => {
    expect(compareCalls(rows, [{ call, parts }], false)).toEqual([
      `not in the table: ${call} ${parts.join(' ')}`,
    ]);
  });

  test('names the rows that nothing sends, once everything was run', () => {
    const sent = [{ call: 'POST /patrons', parts: ['@x-koha-library', 'cardnumber'] }];
    expect(compareCalls(rows, sent, true)).toEqual([
      'sent by nothing: GET /patrons ?_per_page=100 ?q={cardnumber=}',
    ]);
    expect(compareCalls(rows, sent, false)).toEqual([]);
  });
});

test('each row of the page has a witness in Koha’s source, or says why there is none', () => {
  for (const { call, witness } of parseCallTable(PAGE)) {
    const actual = `${call}: ${witness}`;
    expect(actual).toMatch(/`[\w./-]+\.(pm|t|yaml|inc|ts|js|json)`|no witness: .{40,}/);
  }
});

test('the fields of the page are those the client knows', () => {
  const fields = /^fields: (.*)$/m.exec(PAGE)?.[1]?.split(' ');
  const known = [...PATRON_FIELDS.map(({ name }) => name), ...Object.keys(SETTABLE_FIELDS)];
  expect(fields?.toSorted()).toEqual(known.toSorted());
});
