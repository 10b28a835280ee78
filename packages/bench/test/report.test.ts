import { expect, test } from '@jest/globals';
import { compareReports, readReport, renderReport, replaceReport } from '../src/report.ts';
import { differenceRow, ratioRow, recordRow, valueRow, type Row } from '../src/row.ts';

const machine = {
  commit: '0123456789ab',
  cpu: 'Abacus',
  cores: 2,
  memory_gib: 24,
  system: 'Linux 6',
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
const skipped = [{ scenario: 'S14', reason: 'no Chromium is on this machine' }];
const report = renderReport({ machine, seconds: 840, rows: before, skipped });

test('the report names commit and machine, and every row with its target', () => {
  expect(report).toContain(
    'Commit `0123456789ab`, Abacus, 2 cores, 24 GiB, Linux 6, Node v20, Redis 8.\nThe run took 14 minutes.',
  );
  expect(report).toMatch(
    /^\| S1  \| scan, median +\| 20 +\| 10 +\| ms +\| 10 +\| 10 to 12 +\| ≤ 6 ms +\| \*\*no\*\* \|$/m,
  );
  expect(report).toContain('S14 was not measured: no Chromium is on this machine.');
});

test('the columns of its table stand under one another', () => {
  const table = report.split('\n').filter((line) => line.startsWith('|'));
  expect(table).toHaveLength(6);
  expect(new Set(table.map(({ length }) => length)).size).toBe(1);
});

test('replaces the last report on its page and nothing else', () => {
  const page = 'Before.\n\n<!-- report -->\n\nold\n\n<!-- end of report -->\n\nAfter.\n';
  expect(replaceReport(page, 'new')).toBe(page.replace('old', 'new'));
});

test('does not write into a page without a place for it', () => {
  expect(() => replaceReport('Before.\n<!-- report -->\n', 'new')).toThrow('has no');
});

test.each([
  ['as it was printed', report],
  ['on the page', `# Performance\n\n${report}\n`],
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

test('says why a page without a report is none', () => {
  expect(readReport('# Performance\n')).toContain('no table of figures');
});
