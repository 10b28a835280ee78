import { describe, expect, test } from '@jest/globals';
import type { Consortium, Library } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import { openReceipts, readCopyRecords, trimCopyRecords } from '@passport/queue/copies';
import {
  type OwedJob,
  type OwedReading,
  openSweepQueue,
  readOwedByHome,
  writeOwed,
} from '@passport/queue/sweeps';
import type { Logger } from '@passport/runtime';
import { doOwedJob, queueLastReadings } from '../src/owed/owed-job.ts';
import type { SweepCall } from '../src/koha/sweep-calls.ts';
import type { Slice } from '../src/koha/slice.ts';
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
const JOB = { kind: 'owed', library: 'riverside' } as const;
const known = (): Promise<void> => writeOwed(redis, 'riverside', new Map([['midland', READING]]));

test('where it is switched off there is one more job, if something is left to lift', async () => {
  await queueLastReadings(consortium(true), queue, redis);
  await queueLastReadings(consortium(false), queue, redis);
  await known();
  await queueLastReadings(consortium(true), queue, redis);
  await queueLastReadings(consortium(false, false), queue, redis);
  expect(await queue.getWaiting()).toEqual([]);
  for (let worker = 0; worker < 3; worker += 1) await queueLastReadings(consortium(false), queue, redis);
  const waiting = await queue.getWaiting();
  expect(waiting.map(({ data }) => data)).toEqual([JOB]);
  // Hourly for a week: a home can be down for longer than a night.
  expect(waiting[0]?.opts).toMatchObject({ attempts: 168, backoff: { type: 'fixed', delay: 3_600_000 } });
});

describe('a job', () => {
  const warned: unknown[] = [];
  const quiet = {
    info: () => undefined,
    warn: (fields: unknown) => warned.push(fields),
  } as unknown as Logger;
  const run = (call: SweepCall): Promise<void> => runAt(consortium(true), call);
  const signal = new AbortController().signal;
  const patient: Slice = { endIfOver: () => undefined, signal, end: () => undefined };
  const runAt = (
    at: Consortium,
    call: SweepCall,
    job: OwedJob = JOB,
    slice = patient,
    nowMs = 2,
  ): Promise<void> =>
    doOwedJob('1', job, {
      consortium: at,
      redis,
      callsUntil: () => call,
      slice,
      stopping: signal,
      keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
      now: () => nowMs,
      log: quiet,
    });
  const never: SweepCall = () => Promise.reject(new Error('nobody is called'));
  const answers =
    (page: unknown): SweepCall =>
    (_library, work) =>
      work({ readOwed: () => Promise.resolve(page) } as never);

  test('replaces the last reading', async () => {
    await run(answers({ rows: [], read: 1, next: null }));
    expect([...(await readOwedByHome(redis, 'riverside'))]).toEqual([
      ['midland', { read_ms: 2, rows: {}, unconfirmed: 0 }],
    ]);
    expect(await redis.ttl('{passport}:owed:riverside')).toBeGreaterThan(0);
  });

  test('notes that the copies which it names are there still, so that they stay on record', async () => {
    const copy = { home: 'midland', lending: 'riverside', homeKey: 'midland:8', patronId: 402 };
    const receipt = { ...copy, at: '', eventId: 'evt_1', fields: ['surname'] };
    const daysAgo = Date.now() - 400 * 86_400_000;
    await openReceipts(redis).append(receipt, daysAgo, 500 * 86_400_000);
    const rows = [{ patronId: 402, homeKey: 'midland:8', overdues: 1, amount: 0 }];
    await runAt(consortium(true), answers({ rows, read: 1, next: null }), JOB, patient, Date.now());

    await trimCopyRecords(redis, ['riverside'], Date.now() - 365 * 86_400_000);

    expect((await readCopyRecords(redis, 'riverside', [402])).get(402)).toBeDefined();
  });

  test('of a library that this worker does not know is for another worker', async () => {
    await expect(runAt(consortium(true), never, { ...JOB, library: 'elsewhere' })).rejects.toThrow(
      "elsewhere is not in this worker's configuration",
    );
  });

  test('of a library that was shut out since reads and lifts nothing', async () => {
    await known();
    await runAt(consortium(true, false), never);
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
    const last = runAt(consortium(false), () => Promise.reject(error));
    await expect(last).rejects.toThrow(/^riverside: restrictions are left$/);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')?.rows).toMatchObject({
      'midland:8': { restricted: true },
    });
  });

  test('keeps the last reading where the Koha has no plugin, and is not repeated', async () => {
    warned.length = 0;
    await known();
    await run(answers(null));
    expect(warned).toEqual([{ lending: 'riverside', code: 'no_plugin' }]);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual(READING);
  });

  test('fails where the Koha did not answer, and keeps the last reading', async () => {
    await known();
    const error = new KohaError({
      code: 'timeout',
      library: 'riverside',
      operation: 'GET /contrib/passport/owed',
      status: null,
      effect: 'none',
    });
    await expect(run(() => Promise.reject(error))).rejects.toBe(error);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual(READING);
  });

  test('goes on in its next slice where the last one ended, and reads no page twice', async () => {
    const row = { patronId: 4, homeKey: 'midland:8', overdues: 1, amount: 5 };
    const pages: Record<number, unknown> = {
      0: { rows: [row, { ...row, homeKey: 'nobody:1' }], next: 200 },
      200: { rows: [{ ...row, patronId: 5, amount: 7 }], next: null },
    };
    const read: number[] = [];
    const call: SweepCall = (_library, work) =>
      work({
        readOwed({ after }: { after: number }) {
          read.push(after);
          return Promise.resolve(pages[after]);
        },
      } as never);
    const over: Slice = {
      ...patient,
      endIfOver() {
        throw new Error('over');
      },
    };
    const short = (): Promise<void> => runAt(consortium(true), call, JOB, over);
    for (let slice = 0; slice < 3; slice += 1) await expect(short()).rejects.toThrow('over');
    expect((await readOwedByHome(redis, 'riverside')).size).toBe(0);
    await run(call);
    expect(read).toEqual([0, 200]);
    expect((await readOwedByHome(redis, 'riverside')).get('midland')).toEqual({
      read_ms: 2,
      rows: {},
      unconfirmed: 2,
    });
    expect(await redis.keys('*owed-progress*')).toEqual([]);
  });

  test('what copies owe without an end is not read to it, and nothing is kept of it', async () => {
    warned.length = 0;
    let pages = 0;
    const endless: SweepCall = (_library, work) =>
      work({
        readOwed({ after }: { after: number }) {
          pages += 1;
          const row = { homeKey: 'midland:8', overdues: 1, amount: 5 };
          const rows = Array.from({ length: 200 }, (_, index) => ({ ...row, patronId: after + index + 1 }));
          return Promise.resolve({ rows, next: after + 200 });
        },
      } as never);
    await run(endless);
    expect(pages).toBe(251);
    expect(warned).toEqual([{ lending: 'riverside', code: 'too_much' }]);
    expect(await redis.keys('*owed*')).toEqual([]);
  });
});
