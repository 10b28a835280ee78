import { expect, test } from '@jest/globals';
import { differenceRow, recordRow } from '../src/row.ts';
import { renderReport, replaceReport } from '../src/report.ts';

const rounds = [
  { ours: 10, against: 8 },
  { ours: 12, against: 8 },
];
const measure = { what: 'a scan', unit: 'ms', rounds };
const report = {
  machine: {
    commit: '0123456789ab',
    cpu: 'Abacus',
    cores: 2,
    memory_gib: 24,
    system: 'Linux 6',
    node: 'v20',
    redis: '8',
  },
  seconds: 840,
  rows: [differenceRow(measure, { atMost: 1 }), recordRow({ ...measure, what: 'something else' })].map(
    (row) => ({
      scenario: 'S1',
      ...row,
    }),
  ),
  skipped: [{ scenario: 'S14', reason: 'no Chromium is on this machine' }],
};

test('the report names commit and machine, and every row with its target', () => {
  const text = renderReport(report);
  expect(text).toContain(
    'Commit `0123456789ab`, Abacus, 2 cores, 24 GiB, Linux 6, Node v20, Redis 8.\nThe run took 14 minutes.',
  );
  expect(text).toMatch(
    /^\| S1  \| a scan +\| 10 +\| 8 +\| ms +\| 2 +\| 2 to 4 +\| ≤ 1 ms +\| \*\*no\*\* \|$/m,
  );
  expect(text).toContain('S14 was not measured: no Chromium is on this machine.');
});

test('the columns of its table stand under one another', () => {
  const table = renderReport(report)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(table).toHaveLength(4);
  expect(new Set(table.map(({ length }) => length)).size).toBe(1);
});

test('replaces the last report on its page and nothing else', () => {
  const page = 'Before.\n\n<!-- report -->\n\nold\n\n<!-- end of report -->\n\nAfter.\n';
  expect(replaceReport(page, 'new')).toBe(page.replace('old', 'new'));
});

test('does not write into a page without a place for it', () => {
  expect(() => replaceReport('Before.\n<!-- report -->\n', 'new')).toThrow('has no');
});
