import { describe, expect, test } from '@jest/globals';
import {
  type BranchLoans,
  balancesOf,
  openLoanDays,
  readLoans,
  readLoansCounted,
  settle,
  settlementCsv,
} from '@passport/queue/statistics';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
const days = (library = 'riverside') => openLoanDays(fixture.redis, library);
const row = (checkouts: number, change: Partial<BranchLoans> = {}): BranchLoans => ({
  home: 'midland',
  branch: 'MAIN',
  checkouts,
  renewals: 0,
  returns: 0,
  ...change,
});
const read = () => readLoans(fixture.redis, ['2026-10', '2026-11']);

describe('loans of visitors', () => {
  test('are counted by month, and a day that is counted again replaces what it had', async () => {
    await days().count('2026-11-01', [row(2), row(1, { branch: 'SOUTH', renewals: 4 })]);
    await days().count('2026-11-02', [row(5)]);
    for (let again = 0; again < 3; again += 1) await days().count('2026-11-01', [row(3, { returns: 1 })]);
    expect(await read()).toEqual([{ month: '2026-11', lending: 'riverside', ...row(8, { returns: 1 }) }]);
    await days().count('2026-11-02', []);
    await days().count('2026-11-01', []);
    expect(await read()).toEqual([]);
  });

  test('of a closed day stay, and its counts are not known apart any more', async () => {
    await days().count('2026-11-01', [row(2)]);
    await days().count('2026-11-02', [row(3)]);
    await days().close('2026-11-01');
    await days().count('2026-11-01', [row(9)]);
    expect(await read()).toMatchObject([{ checkouts: 5 }]);
    expect(await fixture.redis.hkeys('{passport}:loan-days:riverside')).not.toContain('2026-11-01');
    expect(await days().read()).toEqual({ through: '2026-11-02', closed: '2026-11-01' });
  });

  test('of more branches than are kept apart are counted together, and taken away so', async () => {
    const many = Array.from({ length: 3_100 }, (_, index) => row(1, { branch: `B${index}` }));
    await days().count('2026-11-01', many);
    const counted = await read();
    expect(counted.length).toBeLessThanOrEqual(3_001);
    expect(counted.reduce((sum, { checkouts }) => sum + checkouts, 0)).toBe(3_100);
    await days().count('2026-11-01', [row(1)]);
    expect(await read()).toHaveLength(1);
  });

  test('are kept for five years', async () => {
    await days().count('2026-11-01', [row(1)]);
    for (const key of ['loans:2026-11', 'loans:2026-11:riverside', 'loan-days:riverside']) {
      expect(await fixture.redis.ttl(`{passport}:${key}`)).toBeGreaterThan(5 * 365 * 24 * 3600);
    }
  });

  test('that a job has counted are known to it alone', async () => {
    await days().noteNext('loans.riverside.1', '2026-11-03');
    expect(await days().readNext('loans.riverside.1')).toBe('2026-11-03');
    expect(await days().readNext('loans.riverside.2')).toBeNull();
    await days().close('2026-10-20');
    expect(await days().readNext('loans.riverside.1')).toBeNull();
  });
});

test('a settlement adds up, and says which months are final', async () => {
  await days().count('2026-10-31', [row(7), row(1, { home: 'lakeside' })]);
  await days().count('2026-11-01', [row(2), row(1, { home: '*' })]);
  await days('midland').count('2026-10-02', [row(4, { home: 'riverside', branch: 'CENTRE' })]);
  await days().close('2026-10-31');
  await days('midland').close('2026-10-31');
  const counted = await readLoansCounted(fixture.redis, ['riverside', 'midland']);
  const pairs = settle(await read(), counted);
  expect(settlementCsv(pairs)).toEqual([
    'month,home,lending,checkouts,renewals,returns,net,state',
    '2026-10,lakeside,riverside,1,0,0,1,final',
    '2026-10,midland,riverside,7,0,0,3,final',
    '2026-10,riverside,lakeside,0,0,0,-1,final',
    '2026-10,riverside,midland,4,0,0,-3,final',
    '2026-11,*,riverside,1,0,0,1,open',
    '2026-11,midland,riverside,2,0,0,2,open',
    '2026-11,riverside,*,0,0,0,-1,open',
    '2026-11,riverside,midland,0,0,0,-2,open',
  ]);
  expect(pairs.reduce((sum, { net }) => sum + net, 0)).toBe(0);
  expect(balancesOf(pairs)).toEqual([
    { library: 'riverside', lent: 11, borrowed: 4, net: 7 },
    { library: '*', lent: 0, borrowed: 1, net: -1 },
    { library: 'lakeside', lent: 0, borrowed: 1, net: -1 },
    { library: 'midland', lent: 4, borrowed: 9, net: -5 },
  ]);
});
