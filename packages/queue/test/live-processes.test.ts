import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { LIVE_MS, type ProcessNote, announceProcess, readProcesses } from '@passport/queue/processes';
import { waitFor } from '@passport/testkit';
import { type QueueFixture, openQueueFixture } from './queue-fixture.ts';

const KEY = '{passport}:processes';
const WORKER: ProcessNote = { kind: 'worker', version: '1.2.3', host: 'desk-1' };
const RECEIVER: ProcessNote = { kind: 'receiver', version: '1.2.3', host: 'desk-2' };

let fixture: QueueFixture;
const opened: { close: () => Promise<void> }[] = [];
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await fixture.clear();
});
afterAll(() => fixture.close());

const announce = (id: string, note: ProcessNote | (() => ProcessNote)): { close: () => Promise<void> } => {
  const one = announceProcess(fixture.redis, id, typeof note === 'function' ? note : () => note);
  opened.push(one);
  return one;
};
const known = async (): Promise<readonly string[]> =>
  (await readProcesses(fixture.redis)).map(({ id, isLive }) => `${id} ${isLive ? 'live' : 'missing'}`);
/** As a process that said something so long ago and was not heard of since. */
const silent = async (id: string, ms: number, note: unknown = WORKER): Promise<void> => {
  const at = (await fixture.redisNow()) - ms;
  await fixture.redis.hset(KEY, id, `${at} ${at} ${JSON.stringify(note)}`);
};

test('a process is known as soon as it announces itself, workers first, and until it stops', async () => {
  announce('r', RECEIVER);
  const worker = announce('w', WORKER);
  await waitFor('both', async () => (await known()).length === 2);
  const before = await fixture.redisNow();
  const [first] = await readProcesses(fixture.redis);
  expect(first).toMatchObject({ id: 'w', ...WORKER, isLive: true });
  expect(Math.abs(before - (first?.sinceMs ?? 0))).toBeLessThan(5_000);
  await worker.close();
  expect(await known()).toEqual(['r live']);
});

test('it goes on announcing what it is now, and since when it has been known', async () => {
  let version = '1.0.0';
  announce('w', () => ({ ...WORKER, version }));
  await waitFor('it', async () => (await known()).length === 1);
  const [first] = await readProcesses(fixture.redis);
  version = '2.0.0';
  await waitFor('the next announcement', async () => {
    const [one] = await readProcesses(fixture.redis);
    return one?.version === '2.0.0' && one.lastSeenMs > (first?.lastSeenMs ?? 0);
  });
  expect((await readProcesses(fixture.redis))[0]?.sinceMs).toBe(first?.sinceMs);
});

test('one that was not stopped and is silent is missing, and after ten minutes forgotten', async () => {
  await silent('fresh', LIVE_MS - 2_000);
  await silent('gone', LIVE_MS + 2_000);
  await silent('old', 11 * 60_000);
  expect((await known()).toSorted()).toEqual(['fresh live', 'gone missing', 'old missing']);
  announce('w', WORKER);
  await waitFor('it', async () => (await known()).includes('w live'));
  expect((await known()).toSorted()).toEqual(['fresh live', 'gone missing', 'w live']);
  expect(await fixture.redis.pttl(KEY)).toBeGreaterThan(9 * 60_000);
});

test('what another version or a stranger wrote is left out', async () => {
  await silent('stranger', 0, { kind: 'mainframe', version: '9', host: 'x' });
  await fixture.redis.hset(KEY, 'text', 'no time at all');
  await fixture.redis.hset(KEY, 'half', '1 2 {"kind":"worker"');
  await silent('w', 0);
  expect(await known()).toEqual(['w live']);
});

test('a Redis that lost the list has it again with the next announcement', async () => {
  announce('w', WORKER);
  await waitFor('it', async () => (await known()).length === 1);
  await fixture.clear();
  await waitFor('the next announcement', async () => (await known()).length === 1);
});
