import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { compareCalls, parseCallTable, type SentShape } from './call-table.ts';

// Run by scripts/jest/run-jest.mjs after the suite, over what the suite has sent.
const rows = parseCallTable(readFileSync(join(import.meta.dirname, '../calls.md'), 'utf8'));
const sent = readFileSync(process.env['KOHA_CALLS_SENT'] ?? '', 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as SentShape);
const isWhole = process.env['KOHA_CALLS_WHOLE'] === '1';

test('everything that was sent to a Koha is in packages/koha-client/calls.md', () => {
  expect(compareCalls(rows, sent, isWhole)).toEqual([]);
});
