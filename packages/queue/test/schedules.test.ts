import { expect, test } from '@jest/globals';
import {
  type Nightly,
  dropSchedules,
  nightlyOf,
  noteDone,
  openSweepQueue,
  queueDue,
  readSchedules,
} from '@passport/queue/sweeps';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const at = (day: number, hour: number, minute = 0): number => new Date(2026, 10, day, hour, minute).getTime();
const sweepAt = (hour: number): readonly Nightly[] => [
  { kind: 'sweep', library: 'riverside', at: { hour, minute: 0 } },
];
const TWO = sweepAt(2);

/** Looks at these times one after the other, as one process or as one that has only begun; returns the ids of what was queued by then. */
async function look(nightly: readonly Nightly[], times: readonly number[], known = new Set<string>()) {
  const queue = openSweepQueue(fixture.redis);
  for (const nowMs of times) await queueDue(fixture.redis, queue, nightly, { nowMs, known });
  const jobs = await queue.getWaiting();
  await queue.close();
  return jobs.map(({ id }) => id ?? '').toSorted((one, other) => one.localeCompare(other));
}
const sweepOf = (day: number, hour = 2): string => `sweep.riverside.${at(day, hour)}`;
async function end(...ids: readonly string[]): Promise<void> {
  const queue = openSweepQueue(fixture.redis);
  for (const id of ids) await (await queue.getJob(id))?.remove();
  await queue.close();
}

test('what is new begins with its next time, and is queued then once, however many processes look', async () => {
  expect(await look(TWO, [at(25, 15), at(26, 1, 59)])).toEqual([]);
  await Promise.all([1, 2, 3].map(() => look(TWO, [at(26, 2)])));
  expect(await look(TWO, [at(26, 2, 1), at(26, 23)])).toEqual([sweepOf(26)]);
  const [seen] = await readSchedules(fixture.redis);
  expect(seen).toEqual({
    kind: 'sweep',
    library: 'riverside',
    sinceMs: at(25, 15),
    nextMs: at(27, 2),
    doneMs: null,
  });
});

test('a process that was not there at the time queues it later that day, and nothing of the days before', async () => {
  await look(TWO, [at(20, 15)]);
  expect(await look(TWO, [at(26, 23)])).toEqual([sweepOf(26)]);
});

test('a clock that is set back or ahead by two hours has each day once', async () => {
  await look(TWO, [at(25, 15)]);
  const times = [at(26, 1), at(26, 3), at(26, 1), at(26, 2, 1), at(26, 0, 1), at(26, 2)];
  expect(await look(TWO, times)).toEqual([sweepOf(26)]);
  expect((await readSchedules(fixture.redis))[0]?.nextMs).toBe(at(27, 2));
});

test('a clock that was days ahead costs no day once it is right again', async () => {
  await look(TWO, [at(25, 15)]);
  await look(TWO, [at(29, 3)]);
  await end(sweepOf(29));
  expect(await look(TWO, [at(26, 3), at(26, 4)])).toEqual([sweepOf(26)]);
});

test('a sweep that has not ended when the next is due is not queued beside it', async () => {
  await look(TWO, [at(25, 15), at(26, 2), at(27, 2)]);
  expect(await look(TWO, [at(27, 3)])).toEqual([sweepOf(26)]);
  await end(sweepOf(26));
  expect(await look(TWO, [at(27, 4), at(28, 2)])).toEqual([sweepOf(28)]);
});

test('what Redis has lost is queued again by a process that knows of it', async () => {
  const known = new Set<string>();
  await look(TWO, [at(25, 15), at(26, 2)], known);
  await fixture.redis.flushall();
  expect(await look(TWO, [at(26, 2, 1)], known)).toEqual([sweepOf(26)]);
});

test('with another time of day the night is not lost', async () => {
  await look(sweepAt(4), [at(25, 15)]);
  expect(await look(TWO, [at(26, 3)])).toEqual([sweepOf(26)]);
  expect(await look(sweepAt(1), [at(26, 15)])).toEqual([sweepOf(26)]);
  expect((await readSchedules(fixture.redis))[0]?.nextMs).toBe(at(27, 1));
});

test('what was switched off is forgotten, and when the last one was done is kept', async () => {
  await look(TWO, [at(25, 15)]);
  await noteDone(fixture.redis, { kind: 'sweep', library: 'riverside' }, at(26, 3));
  expect(await readSchedules(fixture.redis)).toMatchObject([{ doneMs: at(26, 3) }]);
  await dropSchedules(fixture.redis, []);
  await look(TWO, [at(28, 15)]);
  expect(await readSchedules(fixture.redis)).toMatchObject([{ doneMs: null, sinceMs: at(28, 15) }]);
});

test('is what the libraries that are enabled want, at their times', () => {
  const time = { hour: 2, minute: 30 };
  const library = (id: string, change: object) => ({
    id,
    enabled: true,
    refresh: null,
    owed: null,
    loans: null,
    ...change,
  });
  const wanted = nightlyOf([
    library('riverside', { refresh: { sweep: time }, owed: { read: time }, loans: { count: time } }),
    library('midland', { refresh: { sweep: null } }),
    library('lakeside', { enabled: false, refresh: { sweep: time } }),
  ]);
  expect(wanted.filter(({ kind }) => kind !== 'set_up')).toEqual([
    { kind: 'sweep', library: 'riverside', at: time },
    { kind: 'owed', library: 'riverside', at: time },
    { kind: 'loans', library: 'riverside', at: time },
  ]);
  expect(wanted.flatMap(({ kind, library: id }) => (kind === 'set_up' ? [id] : []))).toEqual([
    'riverside',
    'midland',
  ]);
});

test('the set-ups of many libraries are checked at times of their own, all between one and five', () => {
  const libraries = Array.from({ length: 480 }, (_, place) => ({
    id: `library-${place}`,
    enabled: true,
    refresh: null,
    owed: null,
    loans: null,
  }));
  const times = nightlyOf(libraries).map(({ at: { hour, minute } }) => hour * 60 + minute);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...times)).toBeLessThan(300);
  const counts = new Map<number, number>();
  for (const time of times) counts.set(time, (counts.get(time) ?? 0) + 1);
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(12);
});
