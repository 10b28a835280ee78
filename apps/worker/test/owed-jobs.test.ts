import { describe, expect, test } from '@jest/globals';
import type { Consortium, Library } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import { type OwedReading, openSweepQueue, readOwedByHome, writeOwed } from '@passport/queue';
import type { Logger } from '@passport/runtime';
import { doOwedJob, scheduleOwed } from '../src/owed/owed-jobs.ts';
import type { SweepCall } from '../src/koha/sweep-calls.ts';
import { openEmptyRedis } from './empty-redis.ts';

const { redis, own: ownAll } = await openEmptyRedis();
const queue = ownAll(openSweepQueue(redis));
queue.on('error', () => undefined);

/** Riverside checks out to midland's patrons; what is owed there is read at half past three, or not. */
function consortium(isRead: boolean, enabled = true): Consortium {
  const owed = isRead ? { read: { hour: 3, minute: 30 } } : null;
  const libraries = [
    { id: 'midland', enabled: true, owed: null },
    { id: 'riverside', enabled, owed, copy: { homeKeyAttribute: 'PASSPORTED_ID' } },
  ] as unknown as Library[];
  const agreement = { home: 'midland', lending: 'riverside', blockHomeOver: null };
  return { libraries, agreements: { at: () => [agreement] } } as unknown as Consortium;
}

const READING: OwedReading = {
  read_ms: 1,
  rows: { 'midland:8': { overdues: 1, amount: 0, over_since_ms: null, restricted: true } },
  unconfirmed: 0,
};
const known = (): Promise<void> => writeOwed(redis, 'riverside', new Map([['midland', READING]]));

describe('the schedule', () => {
  test('is one for each library where what copies owe is read, at its time, however many workers there are', async () => {
    for (let worker = 0; worker < 3; worker += 1) await scheduleOwed(consortium(true), queue, redis);
    const delayed = await queue.getDelayed();
    expect(delayed.map(({ name, data }) => [name, data])).toEqual([
      ['owed.riverside', { owed_at: 'riverside' }],
    ]);
    const at = new Date((delayed[0]?.timestamp ?? 0) + (delayed[0]?.delay ?? 0));
    expect([at.getHours(), at.getMinutes()]).toEqual([3, 30]);
    expect(await queue.getWaiting()).toEqual([]);
  });

  test('ends where it is switched off, with one more job where something is left to lift', async () => {
    await scheduleOwed(consortium(true), queue, redis);
    await scheduleOwed(consortium(true, false), queue, redis);
    expect(await queue.getJobSchedulers()).toEqual([]);
    await scheduleOwed(consortium(true), queue, redis);
    await scheduleOwed(consortium(false), queue, redis);
    expect([await queue.getJobSchedulers(), await queue.getWaiting()]).toEqual([[], []]);
    await known();
    await scheduleOwed(consortium(false, false), queue, redis);
    expect(await queue.getWaiting()).toEqual([]);
    await scheduleOwed(consortium(false), queue, redis);
    await scheduleOwed(consortium(false), queue, redis);
    const waiting = await queue.getWaiting();
    expect(waiting.map(({ data }) => data)).toEqual([{ owed_at: 'riverside' }]);
    // Hourly for a week: a home can be down for longer than a night.
    expect(waiting[0]?.opts).toMatchObject({ attempts: 168, backoff: { type: 'fixed', delay: 3_600_000 } });
  });
});

describe('a job', () => {
  const warned: unknown[] = [];
  const quiet = {
    info: () => undefined,
    warn: (fields: unknown) => warned.push(fields),
  } as unknown as Logger;
  const run = (data: unknown, call: SweepCall): Promise<void> => runAt(consortium(true), data, call);
  const runAt = (at: Consortium, data: unknown, call: SweepCall): Promise<void> =>
    doOwedJob(data, { consortium: at, redis, call, now: () => 2, log: quiet });
  const never: SweepCall = () => Promise.reject(new Error('nobody is called'));
  const answers =
    (page: unknown): SweepCall =>
    (_library, work) =>
      work({ readOwed: () => Promise.resolve(page) } as never);

  test('replaces the last reading', async () => {
    await run({ owed_at: 'riverside' }, answers({ rows: [], read: 1, next: null }));
    expect([...(await readOwedByHome(redis, 'riverside'))]).toEqual([
      ['midland', { read_ms: 2, rows: {}, unconfirmed: 0 }],
    ]);
    expect(await redis.ttl('{passport}:owed:riverside')).toBeGreaterThan(0);
  });

  test('that is of another kind is left alone', async () => {
    await run({ library: 'riverside', what: 'something newer' }, never);
    expect(await redis.keys('*owed*')).toEqual([]);
  });

  test('of a library that this worker does not know is for another worker', async () => {
    await expect(run({ owed_at: 'elsewhere' }, never)).rejects.toThrow(
      "elsewhere is not in this worker's configuration",
    );
  });

  test('of a library that was shut out since reads and lifts nothing', async () => {
    await known();
    await runAt(consortium(true, false), { owed_at: 'riverside' }, never);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual(READING);
  });

  test('that lifts the last restrictions is repeated where a home did not answer', async () => {
    await known();
    const error = new KohaError({
      code: 'timeout',
      library: 'midland',
      operation: 'GET /contrib/passport/restrictions/{kind}',
      status: null,
      effect: 'none',
    });
    const last = runAt(consortium(false), { owed_at: 'riverside' }, () => Promise.reject(error));
    await expect(last).rejects.toThrow(/^riverside: restrictions are left$/);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')?.rows).toMatchObject({
      'midland:8': { restricted: true },
    });
  });

  test('keeps the last reading where the Koha has no plugin, and is not repeated', async () => {
    warned.length = 0;
    await known();
    await run({ owed_at: 'riverside' }, answers(null));
    expect(warned).toEqual([{ lending: 'riverside', code: 'no_plugin' }]);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual(READING);
  });

  test('fails with codes only where the Koha did not answer, and keeps the last reading', async () => {
    await known();
    const error = new KohaError({
      code: 'timeout',
      library: 'riverside',
      operation: 'GET /contrib/passport/owed',
      status: null,
      effect: 'none',
    });
    await expect(run({ owed_at: 'riverside' }, () => Promise.reject(error))).rejects.toThrow(
      /^riverside: timeout$/,
    );
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual(READING);
  });
});
