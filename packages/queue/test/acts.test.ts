import { describe, expect, test } from '@jest/globals';
import { ANY_ACT, type ActSearch, actOf, findActs, openActKeeper } from '@passport/queue/audit';
import { cleanByAge } from '@passport/queue/retention';
import { waitFor } from '@passport/testkit';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
const DAY_MS = 86_400_000;

const lost: number[] = [];
const open = (everyMs = 3_600_000, redis = fixture.redis) =>
  openActKeeper({
    redis,
    source: 'cli',
    everyMs,
    monotonicNow: () => performance.now(),
    onLost: (lines) => lost.push(lines),
  });
async function keep(...lines: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  for (const line of lines) {
    const keeper = open();
    keeper.keep({ audit: true, by: 'olga', ...line });
    expect(await keeper.close(1_000)).toBe(0);
    // Those of one millisecond, by several accounts, are in no order.
    const at = await fixture.redisNow();
    await waitFor('the next millisecond', async () => (await fixture.redisNow()) > at, { everyMs: 1 });
  }
}
const find = (search: Partial<ActSearch> = {}) => findActs(fixture.redis, { ...ANY_ACT, ...search });
const acts = async (search: Partial<ActSearch> = {}) =>
  (await find(search)).acts.map(({ act, libraries }) => `${act} ${libraries.join('+')}`);

describe('an act', () => {
  test('keeps nothing by which a patron can be found, and no address', async () => {
    await keep({
      action: 'copies_adopt',
      lending: 'riverside',
      home_key: 'midland:812',
      patron_id: 4711,
      card_hash: 'kid:planted-hash',
      from: '192.0.2.99',
      server: 'planted server',
      fields: ['surname'],
      result: 'adopted',
    });
    await keep({ action: 'login', by: null, from: '192.0.2.99', result: 'wrong' });
    const entries = [
      ...(await fixture.redis.xrange('{passport}:audit:acts', '-', '+')),
      ...(await fixture.redis.xrange('{passport}:audit:refusals', '-', '+')),
    ];
    // An entry's own id is a time, which can have any digits.
    const stored = JSON.stringify(entries.map(([, fields]) => fields));
    expect(stored).not.toMatch(/812|4711|planted|192\.0|surname/);
    const { acts: listed } = await find();
    expect(listed).toMatchObject([
      { act: 'login', by: null, libraries: [], result: 'wrong' },
      { act: 'copies_adopt', by: 'olga', libraries: ['riverside'], homes: ['midland'], result: 'adopted' },
    ]);
    expect(Math.abs((listed[0]?.atMs ?? 0) - (await fixture.redisNow()))).toBeLessThan(5_000);
  });

  test('is no line of a scan, which has its history, and nothing that is not known', () => {
    expect(actOf({ action: 'refresh', event: 'evt_1', lending: 'riverside' }, 'worker')).toBeNull();
    expect(actOf({ action: 'sweep', event: 'evt_1', lending: 'riverside' }, 'worker')).toBeNull();
    expect(actOf({ action: 'sweep', lending: 'riverside' }, 'worker')).toMatchObject({ by: null });
    expect(actOf({ action: 'planted', by: 'olga' }, 'cli')).toBeNull();
  });

  test('that is the same many times within one writing is one entry with its number', async () => {
    const keeper = open();
    for (let n = 0; n < 5_000; n += 1) {
      const line = { audit: true, action: 'copies_delete', by: 'olga', lending: 'riverside', patron_id: n };
      keeper.keep({ ...line, home_key: `midland:${n}`, result: n % 5 === 0 ? 'kept' : 'deleted' });
    }
    await keeper.close(1_000);
    const { acts: listed } = await find();
    expect(listed.map(({ result, count }) => [result, count])).toEqual([
      ['deleted', 4_000],
      ['kept', 1_000],
    ]);
  });
});

describe('acts are found', () => {
  test('by library, account, act and time', async () => {
    await keep({ action: 'retry', lending: 'riverside', event: 'evt_1', result: 'retried' });
    await keep({ action: 'pause', by: 'root', library: 'midland', as: ['home'] });
    await keep({ action: 'reload', by: 'root', config: 'aaaa' });
    expect(await acts()).toEqual(['reload ', 'pause midland', 'retry riverside']);
    expect(await acts({ library: 'midland' })).toEqual(['pause midland']);
    expect(await acts({ by: 'olga' })).toEqual(['retry riverside']);
    expect(await acts({ act: 'reload' })).toEqual(['reload ']);
    const now = await fixture.redisNow();
    expect(await acts({ fromMs: now + 60_000 })).toEqual([]);
    expect(await acts({ untilMs: now - 60_000 })).toEqual([]);
    expect(await acts({ fromMs: now - 60_000, untilMs: now + 60_000 })).toHaveLength(3);
  });

  test('at some libraries alone, without the others that an act has named', async () => {
    await keep({
      action: 'erase',
      home_key: 'midland:1',
      lending: ['riverside', 'lakeside'],
      result: 'done',
    });
    await keep({ action: 'retry', lending: 'lakeside', event: 'evt_1' }, { action: 'reload' });
    expect(await acts({ among: ['riverside'] })).toEqual(['erase riverside']);
    expect(await acts({ among: ['riverside'], library: 'lakeside' })).toEqual([]);
    expect(await acts({ among: [] })).toEqual([]);
  });

  test('page by page, each once, whichever stream it is in and however close together they are', async () => {
    const keeper = open();
    for (let n = 0; n < 40; n += 1) {
      keeper.keep({ action: 'retry', by: `user ${n}`, lending: 'riverside', event: `evt_${n}` });
      keeper.keep({ action: 'login', by: `user ${n}`, result: 'wrong' });
    }
    await keeper.close(1_000);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await find({ after, most: 7 });
      expect(page.acts.length).toBeLessThanOrEqual(7);
      seen.push(...page.acts.map(({ act, by }) => `${act} ${by}`));
      after = page.next;
    } while (after !== null);
    expect(seen).toHaveLength(80);
    expect(new Set(seen).size).toBe(80);
  });

  test('beside an entry that no version can read', async () => {
    await keep({ action: 'reload' });
    await fixture.redis.xadd('{passport}:audit:acts', '*', 'act', '{"act":7}');
    await fixture.redis.xadd('{passport}:audit:acts', '*', 'other', 'x');
    expect(await acts()).toEqual(['reload ']);
  });
});

describe('what is kept is bounded', () => {
  test('by number, and refusals never push out what was done', async () => {
    await keep({ action: 'reload' });
    const keeper = open();
    for (let batch = 0; batch <= 5; batch += 1) {
      for (let n = 0; n < 1_000; n += 1)
        keeper.keep({ action: 'login', by: `b${batch} u${n}`, result: 'wrong' });
      await keeper.close(5_000);
    }
    expect(await fixture.redis.xlen('{passport}:audit:refusals')).toBe(5_000);
    expect(await acts({ act: 'reload' })).toEqual(['reload ']);
  }, 20_000);

  test.each([
    ['acts', { action: 'discard', lending: 'riverside', event: 'evt' }],
    ['refusals', { action: 'write', result: 'may only look' }],
  ] as const)(
    'by account: one never pushes out the %s of others',
    async (kind, line) => {
      await keep({ action: 'write', by: 'root', result: 'may only look' }, { action: 'reload', by: 'root' });
      const keeper = open();
      for (let batch = 0; batch <= 20; batch += 1) {
        for (let n = 0; n < 1_000; n += 1) keeper.keep({ ...line, by: 'olga', state: `${batch} ${n}` });
        await keeper.close(5_000);
      }
      expect(await acts({ by: 'root' })).toEqual(['reload ', 'write ']);
      expect(await acts({ by: 'olga', most: 99_999 })).toHaveLength({ acts: 5_000, refusals: 1_000 }[kind]);
      // A user of the dashboard may have the name of somebody on the machine.
      const dashboard = openActKeeper({
        redis: fixture.redis,
        source: 'dashboard',
        everyMs: 60_000,
        monotonicNow: () => performance.now(),
        onLost: (lines) => lost.push(lines),
      });
      dashboard.keep({ action: 'retry', by: 'olga', lending: 'lakeside' });
      await dashboard.close(1_000);
      expect(await acts({ by: 'olga', most: 99_999 })).toHaveLength(
        { acts: 5_000, refusals: 1_000 }[kind] + 1,
      );
    },
    60_000,
  );

  test('by age', async () => {
    await keep({ action: 'reload' }, { action: 'write', result: 'may only look' });
    const ages = { finishedMs: DAY_MS, failedMs: DAY_MS, receiptsMs: DAY_MS, auditMs: DAY_MS };
    const now = await fixture.redisNow();
    await cleanByAge(fixture.redis, fixture.queue, ages, now + DAY_MS - 60_000);
    expect(await acts()).toHaveLength(2);
    await cleanByAge(fixture.redis, fixture.queue, ages, now + DAY_MS + 60_000);
    expect(await acts()).toEqual([]);
    expect(await fixture.redis.keys('*audit*')).toEqual([]);
  });
});

test('what is done while Redis does not write is kept once it does, at the time when it was done', async () => {
  lost.length = 0;
  const keeper = open(20);
  const used = (await fixture.server.call('CONFIG', 'GET', 'maxmemory')) as string[];
  await fixture.server.call('CONFIG', 'SET', 'maxmemory', '1');
  for (let n = 0; n < 1_200; n += 1)
    keeper.keep({ action: 'retry', by: 'olga', lending: 'riverside', event: `evt_${n}` });
  keeper.keep({ action: 'reload', by: 'root' });
  const doneAt = await fixture.redisNow();
  const started = performance.now();
  while (performance.now() - started < 1_500) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(lost).toEqual([]);
  await fixture.server.call('CONFIG', 'SET', 'maxmemory', used[1] ?? '0');
  await waitFor('the acts', async () => (await find({ most: 2_000 })).acts.length === 1_001);
  await keeper.close(1_000);
  expect(lost).toEqual([200]);
  expect(await acts({ by: 'root' })).toEqual(['reload ']);
  for (const { atMs } of (await find({ most: 2_000 })).acts)
    expect(Math.abs(atMs - doneAt)).toBeLessThan(1_000);
}, 20_000);

test('what Redis refuses of a batch is written later, and the others of the batch not once more', async () => {
  const keeper = open(20);
  await fixture.redis.set('{passport}:audit:refusals', 'no stream');
  keeper.keep({ action: 'reload', by: 'olga' });
  keeper.keep({ action: 'login', by: 'olga', result: 'wrong' });
  const refused = async () =>
    /cmdstat_exec:calls=(\d+)/.exec(String(await fixture.server.call('INFO', 'commandstats')))?.[1];
  const before = Number((await refused()) ?? 0);
  await waitFor('some attempts', async () => Number(await refused()) >= before + 3);
  await fixture.redis.del('{passport}:audit:refusals');
  await waitFor('the refused one', async () => (await acts()).includes('login '));
  expect(await keeper.close(1_000)).toBe(0);
  expect(await acts()).toEqual(['login ', 'reload ']);
});

test('what Redis has not answered when the keeper is closed is in the log alone, as far as anybody knows', async () => {
  const keeper = open();
  keeper.keep({ action: 'reload', by: 'olga' });
  await fixture.server.call('CLIENT', 'PAUSE', '60000', 'WRITE');
  try {
    expect(await keeper.close(100)).toBe(1);
  } finally {
    await fixture.server.call('CLIENT', 'UNPAUSE');
  }
});
