import { expect, test } from '@jest/globals';
import { compareReports, readReport } from '../src/compare-reports.ts';
import { renderReport } from '../src/report.ts';
import { differenceRow, ratioRow, recordRow, valueRow, type Row } from '../src/row.ts';

const machine = {
  commit: '0123456789ab',
  cpu: 'A',
  cores: 2,
  memory_gib: 1,
  system: 'L',
  node: 'v20',
  redis: '8',
};
const rounds = (...ours: readonly number[]) => ours.map((each) => ({ ours: each, against: 10 }));
const rows = (
  scan: readonly number[],
  rate: readonly number[],
  commands: number,
  bytes: number,
): readonly Row[] =>
  [
    differenceRow({ what: 'scan, median', unit: 'ms', rounds: rounds(...scan) }, { atMost: 6 }),
    ratioRow({ what: 'copies', unit: 'copies/s', rounds: rounds(...rate) }, { atLeast: 0.6 }),
    recordRow({ what: 'commands', unit: 'for an event', rounds: rounds(commands) }),
    valueRow({ what: 'a waiting event', unit: 'bytes', rounds: rounds(bytes) }, { atMost: 1_500 }),
  ].map((row) => ({ scenario: 'S1', ...row }));
const before = rows([20, 22], [6, 7], 100, 1_400);
const json = JSON.stringify({ machine, seconds: 60, rows: before, skipped: [] });
const page = renderReport({ machine, seconds: 60, rows: before, skipped: [] });

test.each([
  ['printed as JSON', json],
  ['written into the page', `# Performance\n\n${page}\n`],
])('names in one line what is worse and better than a report %s, with both spreads', (_, text) => {
  const earlier = readReport(text);
  if (typeof earlier === 'string') throw new Error(earlier);
  expect(compareReports(rows([21, 23], [6.5, 7.5], 101, 1_410), earlier)).toBe(
    'Against 0123456789ab: 4 within the spread.',
  );
  expect(compareReports(rows([23, 25], [8, 9], 120, 1_500), earlier)).toBe(
    'Against 0123456789ab: 2 worse (S1 scan, median 10-12 → 13-15; S1 a waiting event 1400 → 1500), ' +
      '1 better (S1 copies 0.6-0.7 → 0.8-0.9), 1 higher (S1 commands 10 → 12), 0 within the spread.',
  );
});

test('a row that was not measured then is counted, not compared', () => {
  const earlier = { commit: 'c', rows: before.slice(1) };
  expect(compareReports(before, earlier)).toBe('Against c: 3 within the spread, 1 not in that report.');
});

test.each([
  ['a page without a report', '# Performance\n', 'no table of figures'],
  ['broken JSON', '{"rows":', 'not JSON'],
  ['other JSON', '{"rows":[]}', 'machine'],
])('says why %s is no report', (_, text, reason) => {
  expect(readReport(text)).toContain(reason);
});
