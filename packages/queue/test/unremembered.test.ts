import { expect, test } from '@jest/globals';
import {
  dropUnremembered,
  lockUnremembered,
  noteUnremembered,
  readUnremembered,
} from '@passport/queue/copies';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const TEXT = 'x'.repeat(100);

test('all that waits for a library is read in the end, however much it is', async () => {
  const { redis } = fixture;
  const left = new Set(Array.from({ length: 2_000 }, (_, index) => `${index}.evt_${index}`));
  for (const id of left) await noteUnremembered(redis, 'riverside', { id, text: TEXT });
  for (;;) {
    const waiting = await readUnremembered(redis, 'riverside');
    if (waiting.length === 0) break;
    for (const { id } of waiting) {
      await dropUnremembered(redis, 'riverside', id);
      left.delete(id);
    }
  }
  expect(left.size).toBe(0);
});

test('what cannot be stored stands before nothing else', async () => {
  const { redis } = fixture;
  const all = Array.from({ length: 200 }, (_, index) => `${index}.evt_${index}`);
  for (const id of all) await noteUnremembered(redis, 'riverside', { id, text: TEXT });
  const seen = new Set<string>();
  for (let round = 0; round < 200; round += 1) {
    for (const { id, text } of await readUnremembered(redis, 'riverside')) {
      seen.add(id);
      expect(text).toBe(TEXT);
    }
  }
  expect(seen.size).toBe(all.length);
});

test('what is beyond ten thousand is not noted, and nothing else is lost of it', async () => {
  const { redis } = fixture;
  const many = Array.from({ length: 10_000 }, (_, index) => [`${index}.evt`, TEXT]).flat();
  await redis.hset('{passport}:unremembered:riverside', ...many);
  expect(await noteUnremembered(redis, 'riverside', { id: '10000.evt', text: TEXT })).toBe(false);
  await dropUnremembered(redis, 'riverside', '7.evt');
  expect(await noteUnremembered(redis, 'riverside', { id: '10000.evt', text: TEXT })).toBe(true);
  expect(await redis.hlen('{passport}:unremembered:riverside')).toBe(10_000);
  expect(await redis.ttl('{passport}:unremembered:riverside')).toBeGreaterThan(29 * 24 * 3600);
});

test('a round whose lock was over does not release the lock of the next one', async () => {
  const { redis } = fixture;
  const late = await lockUnremembered(redis, 'riverside', 60_000);
  await redis.del('{passport}:unremembered:riverside:lock');
  const next = await lockUnremembered(redis, 'riverside', 60_000);

  await late?.();

  expect(await lockUnremembered(redis, 'riverside', 60_000)).toBeNull();
  await next?.();
  expect(await lockUnremembered(redis, 'riverside', 60_000)).not.toBeNull();
});
