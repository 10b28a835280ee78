import { describe, expect, test } from '@jest/globals';
import { openCreatePlaces } from '@passport/queue/locks';
import { waitFor } from '@passport/testkit';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const LIFE_MS = 10_000;
const places = () => openCreatePlaces(fixture.redis);
const run = (event: string, sinceMs = 0, name = 'run-1') => ({
  event: `riverside.${event}`,
  run: name,
  sinceMs,
});

describe('the place at which a library’s copies are created', () => {
  test('is one event’s at a time, and the next one’s when it is released', async () => {
    const taken = await places().take('riverside', run('evt_1'), LIFE_MS);
    expect(taken).not.toBeNull();
    expect(await places().take('riverside', run('evt_2'), LIFE_MS)).toBeNull();

    await taken?.release();
    expect(await places().take('riverside', run('evt_2'), LIFE_MS)).not.toBeNull();
  });

  test('of one library keeps nobody from another’s', async () => {
    await places().take('riverside', run('evt_1'), LIFE_MS);
    expect(await places().take('lakeside', run('evt_2'), LIFE_MS)).not.toBeNull();
  });

  test('goes to the oldest of those in line', async () => {
    const taken = await places().take('riverside', run('evt_1', 1), LIFE_MS);
    expect(await places().take('riverside', run('old', 2), LIFE_MS)).toBeNull();
    await taken?.release();

    expect(await places().take('riverside', run('young', 3), LIFE_MS)).toBeNull();
    expect(await places().take('riverside', run('old', 2), LIFE_MS)).not.toBeNull();
  });

  test('is not kept free for one that has left, or died in line', async () => {
    const taken = await places().take('riverside', run('evt_1', 1), LIFE_MS);
    await places().take('riverside', run('leaves', 2), LIFE_MS);
    await places().take('riverside', run('dies', 3), LIFE_MS);
    await taken?.release();
    await places().leave('riverside', run('leaves', 2));

    const got = await waitFor('the place', () => places().take('riverside', run('young', 9), LIFE_MS));
    expect(got).not.toBeNull();
  });

  test('is not kept free for one that came before Redis’ clock was set back', async () => {
    const taken = await places().take('riverside', run('evt_1', 1), LIFE_MS);
    expect(await places().take('riverside', run('before', 2), LIFE_MS)).toBeNull();
    const [line = ''] = await fixture.redis.keys('*create:riverside:line');
    const anHourAhead = Date.now() + 3_600_000;
    await fixture.redis.hset(line, 'riverside.before', `2 ${anHourAhead}`);
    await taken?.release();

    expect(await places().take('riverside', run('young', 9), LIFE_MS)).not.toBeNull();
  });

  test('of a worker that died is free when its life is over, or at once for the same event', async () => {
    await places().take('riverside', run('evt_1'), LIFE_MS);
    expect(await places().take('riverside', run('evt_1', 0, 'run-2'), 80)).not.toBeNull();
    await waitFor('the place to be free', () => places().take('riverside', run('evt_2'), LIFE_MS));
  });

  test('is not released, nor kept, by one who has lost it', async () => {
    const lost = await places().take('riverside', run('evt_1'), 1);
    const other = await waitFor('the place', () => places().take('riverside', run('evt_2'), LIFE_MS));

    expect(await lost?.keep()).toBe(false);
    await lost?.release();
    expect(await other.keep()).toBe(true);
    expect(await places().take('riverside', run('evt_3'), LIFE_MS)).toBeNull();
  });

  test('is kept for as long as it is needed', async () => {
    const taken = await places().take('riverside', run('evt_1'), 40);
    await taken?.keep();
    const key = '{passport}:create:riverside';
    expect(await fixture.redis.pttl(key)).toBeLessThanOrEqual(40);
    await waitFor('the place to be free', async () => (await fixture.redis.exists(key)) === 0);
    expect(await taken?.keep()).toBe(false);
  });
});
