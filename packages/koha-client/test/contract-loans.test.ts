import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { CARD, testThatRequestsFit, useContractBench } from './contract-bench.ts';

const PASSPORT = 'PASSPORTED';

describe.each(testedReleases)('the loans of copies at a Koha %s', (release) => {
  const bench = useContractBench(release);
  const read = (from: string, to = from) => bench.client.readLoans({ passportType: PASSPORT, from, to });
  const loan = (patron_id: number, day: string, type: 'issue' | 'renew' | 'return', branch = 'MAIN') => ({
    at: `${day}T10:00:00+00:00`,
    type,
    branch,
    patron_id,
  });

  test('are counted by day, home library and branch, and no person is named', async () => {
    const id = await bench.created();
    bench.koha.addLoans([
      loan(id, '2026-01-01', 'issue'),
      loan(id, '2026-01-01', 'issue'),
      loan(id, '2026-01-01', 'renew'),
      loan(id, '2026-01-01', 'return', 'SOUTH'),
      loan(id, '2026-01-02', 'return'),
      loan(id, '2026-01-03', 'return'),
      loan(999_999, '2026-01-01', 'issue'),
    ]);
    const counts = { home: 'midland', branch: 'MAIN', checkouts: 0, renewals: 0, returns: 0 };
    expect(await read('2026-01-01', '2026-01-02')).toEqual({
      rows: [
        { ...counts, day: '2026-01-01', checkouts: 2, renewals: 1 },
        { ...counts, day: '2026-01-01', branch: 'SOUTH', returns: 1 },
        { ...counts, day: '2026-01-02', returns: 1 },
      ],
      until: '2026-01-02',
      next: null,
    });
  });

  test('are those that the API makes as well, once their day is over', async () => {
    await bench.created();
    bench.koha.putItem('B-1', {});
    bench.koha.putItem('B-1', { checked_out_to: CARD });
    const today = new Date().toISOString().slice(0, 10);
    expect(await read(today)).toEqual({ rows: [], until: null, next: null });
    bench.koha.putSettings({ clock_skew_seconds: 24 * 3600 });
    expect(await read(today)).toMatchObject({ rows: [{ day: today, checkouts: 1 }], until: today });
  });

  test('are none where there is no such day, or no plugin, and said to be missing where Koha keeps no statistics', async () => {
    await expect(read('2026-02-31')).rejects.toMatchObject({ status: 400 });
    bench.koha.putSettings({ preferences: { DisableStatistics: '1' } });
    expect(await read('2026-01-01')).toBe('no_statistics');
    bench.koha.putSettings({ plugin: false });
    expect(await read('2026-01-01')).toBeNull();
  });

  testThatRequestsFit(bench, []);
});
