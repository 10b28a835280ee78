import { describe, expect, test } from '@jest/globals';
import { notePaused, promotePaused } from '@passport/queue/delays';
import { controlKey, jobIdOf } from '@passport/queue/keys';
import {
  type Pause,
  type PauseSide,
  buildPauses,
  pauseLibraries,
  readControl,
  requestReload,
  resumeLibrary,
} from '@passport/queue/processes';
import { addScans } from '@passport/queue/scans';
import { NOON, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const HOUR_MS = 3_600_000;
const pause = (change: Partial<Pause> = {}): Pause => ({
  library: 'midland',
  side: 'home',
  until_ms: NOON + HOUR_MS,
  reason: 'Koha upgrade',
  by: 'otto',
  at_ms: NOON,
  ...change,
});
const put = (...pauses: Pause[]): Promise<void> => pauseLibraries(fixture.redis, pauses);
const paused = async (): Promise<readonly string[]> =>
  (await readControl(fixture.redis)).pauses.map(({ library, side }) => `${library} ${side}`).toSorted();

describe('what operators have paused', () => {
  test('is read as it was said, beside a request for a reload', async () => {
    await requestReload(fixture.redis, { id: 'first', by: 'otto', at_ms: NOON });
    await put(pause(), pause({ side: 'lending' }), pause({ library: 'lake_side-2' }));
    expect(await paused()).toEqual(['lake_side-2 home', 'midland home', 'midland lending']);
    expect(await readControl(fixture.redis)).toMatchObject({
      reload: { id: 'first' },
      pauses: expect.arrayContaining([pause()]),
    });
  });

  test('is replaced by what is said later of the same library, and of no other, be that over', async () => {
    const over = pause({ until_ms: NOON - 1 });
    await put(over, pause({ library: 'lakeside', until_ms: NOON - 1 }));
    await put(pause({ library: 'lakeside', reason: 'still' }));
    const { pauses } = await readControl(fixture.redis);
    expect(pauses).toHaveLength(2);
    expect(pauses).toEqual(expect.arrayContaining([over, pause({ library: 'lakeside', reason: 'still' })]));
  });

  test('has a version of its own where a failover has lost what was said last', async () => {
    await put(pause());
    const before = await fixture.redis.hgetall(controlKey);
    await put(pause({ reason: 'lost', at_ms: NOON + 1 }));
    const seen = await fixture.redis.hget(controlKey, 'version');
    await fixture.redis.hset(controlKey, before);
    await put(pause({ library: 'lakeside', at_ms: NOON + 2_000 }));
    expect(await fixture.redis.hget(controlKey, 'version')).not.toBe(seen);
  });

  test('ends on the side that is resumed; one that was over is no pause that ended', async () => {
    await put(pause(), pause({ side: 'lending' }), pause({ library: 'lakeside' }));
    const resume = (sides: readonly PauseSide[], nowMs = NOON) =>
      resumeLibrary(fixture.redis, 'midland', sides, nowMs);
    expect(await resume(['lending'])).toEqual([pause({ side: 'lending' })]);
    expect(await paused()).toEqual(['lakeside home', 'midland home']);
    expect(await resume(['home', 'lending'], NOON + HOUR_MS)).toEqual([]);
    expect(await paused()).toEqual(['lakeside home']);
  });

  test('holds until its time, on its side only, and needs nobody to end it', () => {
    let now = NOON;
    const pauses = buildPauses(() => now);
    pauses.set({ pauses: [pause()] });
    expect(pauses.of('midland', 'home')).toEqual({ untilMs: NOON + HOUR_MS, reason: 'Koha upgrade' });
    expect([pauses.of('midland', 'lending'), pauses.of('lakeside', 'home')]).toEqual([null, null]);
    now = NOON + HOUR_MS;
    expect(pauses.of('midland', 'home')).toBeNull();
  });
});

async function waitFor(n: number, library: string, side: PauseSide): Promise<string> {
  await addScans(fixture.queue, [{ job: jobData({ event_id: `evt_${n}` }), priority: 1 }]);
  const jobId = jobIdOf('riverside', `evt_${n}`);
  await notePaused(fixture.redis, library, side, jobId);
  await fixture.mover.delay(await fixture.mover.take(), (await fixture.redisNow()) + HOUR_MS);
  return jobId;
}

test('jobs that wait for the end of a pause are promoted when it is over, and no others', async () => {
  const [home, lending] = [await waitFor(1, 'midland', 'home'), await waitFor(2, 'midland', 'lending')];
  const stateOf = async (jobId: string) => (await fixture.queue.getJob(jobId))?.getState();
  await promotePaused(fixture.redis, fixture.queue, () => true);
  expect([await stateOf(home), await stateOf(lending)]).toEqual(['delayed', 'delayed']);
  await promotePaused(
    fixture.redis,
    fixture.queue,
    (library, side) => library === 'midland' && side === 'lending',
  );
  expect([await stateOf(home), await stateOf(lending)]).toEqual(['prioritized', 'delayed']);
});
