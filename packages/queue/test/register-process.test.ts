import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import {
  type RegisteredProcess,
  type Registration,
  type Reloaded,
  type SeenProcess,
  registerProcess,
  readProcesses,
  requestReload,
} from '@passport/queue/processes';
import { type QueueFixture, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
const processes: RegisteredProcess[] = [];
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(async () => {
  for (const member of processes.splice(0)) await member.close();
  await fixture.clear();
});
afterAll(() => fixture.close());

const log = createLogger({ name: 'test', level: 'silent' });
const MINUTE_MS = 60_000;

/** A worker whose reloads come to `results`, one after the other. */
function start(
  results: (Reloaded | Error)[] = [],
  more: Partial<Registration> = {},
): { reloads: () => number; id: string } {
  const id = `worker-${processes.length}`;
  let reloads = 0;
  processes.push(
    registerProcess({
      redis: fixture.redis,
      id,
      identity: { kind: 'worker', version: '1.0.0', host: 'here' },
      hash: 'aaaaaaaaaaaa',
      async reload() {
        reloads += 1;
        const result = results.shift() ?? { kind: 'loaded', hash: 'bbbbbbbbbbbb' };
        if (result instanceof Error) throw result;
        return result;
      },
      now: () => Date.now(),
      log,
      lookMs: 20,
      ...more,
    }),
  );
  return { reloads: () => reloads, id };
}

const live = (): Promise<readonly SeenProcess[]> => readProcesses(fixture.redis);
const request = async (id: string, agoMs = 0): Promise<void> =>
  requestReload(fixture.redis, { id, by: 'otto', at_ms: (await fixture.redisNow()) - agoMs });
const untilDealtWith = (id: string): Promise<SeenProcess> =>
  waitFor(`${id} to be dealt with`, async () => (await live()).find(({ reload }) => reload === id));

describe('a registered process', () => {
  test('is known while it lives, with the configuration that it has', async () => {
    start();
    const [known] = await waitFor('it to be known', async () => {
      const all = await live();
      return all.length === 1 ? all : null;
    });
    expect(known).toMatchObject({ config: { hash: 'aaaaaaaaaaaa' }, refused: null, reload: null });
    expect(Math.abs((known?.lastSeenMs ?? 0) - (known?.config?.loaded_ms ?? 0))).toBeLessThan(10_000);
    await processes.pop()?.close();
    expect(await live()).toEqual([]);
  });

  test('every one takes over another configuration when somebody requests it, once for each request', async () => {
    const [one, other] = [start(), start()];
    await waitFor('both to be known', async () => (await live()).length === 2);
    await request('first');
    await waitFor('both to have it', async () => (await live()).every(({ reload }) => reload === 'first'));
    expect((await live()).map(({ config }) => config?.hash)).toEqual(['bbbbbbbbbbbb', 'bbbbbbbbbbbb']);
    await request('second');
    await untilDealtWith('second');
    await waitFor('both to have it', async () => (await live()).every(({ reload }) => reload === 'second'));
    expect([one.reloads(), other.reloads()]).toEqual([2, 2]);
  });

  test('goes on with what it has when the other is wrong, says what is wrong, and forgets it when it is right', async () => {
    start([{ kind: 'refused', problems: ['libraries[1].name: is missing', 'x'.repeat(400)] }]);
    await request('wrong');
    const wrong = await untilDealtWith('wrong');
    expect(wrong.config?.hash).toBe('aaaaaaaaaaaa');
    expect(wrong.refused?.problems).toEqual(['libraries[1].name: is missing', 'x'.repeat(300)]);
    await request('right');
    expect(await untilDealtWith('right')).toMatchObject({ config: { hash: 'bbbbbbbbbbbb' }, refused: null });
  });

  test('says how many of its secrets no reload renews', async () => {
    start([], { facts: () => ({ fixed_secrets: 3 }) });
    await waitFor('it to be known', async () => (await live())[0]?.fixed_secrets === 3);
  });

  test('lives on when a reload meets a bug, and reloads the next time', async () => {
    start([new Error('of ours')]);
    await request('bad');
    expect((await untilDealtWith('bad')).refused?.problems).toHaveLength(1);
    await request('good');
    expect((await untilDealtWith('good')).config?.hash).toBe('bbbbbbbbbbbb');
  });

  test('does not reload for what was requested long before it started, but for what came just then', async () => {
    await request('long ago', 2 * MINUTE_MS);
    const late = start();
    expect((await untilDealtWith('long ago')).config?.hash).toBe('aaaaaaaaaaaa');
    expect(late.reloads()).toBe(0);
    await processes.pop()?.close();
    await request('just before', 1_000);
    const early = start();
    await untilDealtWith('just before');
    expect(early.reloads()).toBe(1);
  });

  test('a signal reloads this one alone', async () => {
    const [one, other] = [start(), start()];
    await waitFor('both to be known', async () => (await live()).length === 2);
    await processes[0]?.reload('signal');
    expect([one.reloads(), other.reloads()]).toEqual([1, 0]);
    expect(new Set((await live()).map(({ config }) => config?.hash)).size).toBe(2);
  });
});
