import { expect, test } from '@jest/globals';
import { openNotices, writeCertificate } from '@passport/queue/notices';
import { readOwed, readOwedByHome, readSweep, writeOwed } from '@passport/queue/sweeps';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const DAMAGED = '{"id":"sweep_1","lib';

test('a sweep that is damaged counts as none', async () => {
  await fixture.redis.set('{passport}:sweep:riverside', DAMAGED);

  expect(await readSweep(fixture.redis, 'riverside', false)).toBeNull();
});

test('of what is owed, a reading that is damaged counts as none', async () => {
  const { redis } = fixture;
  const reading = { read_ms: 1, rows: {}, unconfirmed: 0 };
  await writeOwed(redis, 'riverside', new Map([['midland', reading]]));
  await redis.hset('{passport}:owed:riverside', 'elsewhere', DAMAGED);

  expect(await readOwed(redis, 'riverside', 'elsewhere')).toBeNull();
  expect(await readOwedByHome(redis, 'riverside')).toEqual(new Map([['midland', reading]]));
});

test('a transaction of which Redis refuses a command is an error of its caller', async () => {
  const { redis } = fixture;
  await redis.set('{passport}:certificates', 'of another kind');
  await redis.set('{passport}:notices:stopped', 'of another kind');

  await expect(writeCertificate(redis, 'riverside', { until_ms: null, at_ms: 1 })).rejects.toThrow(
    'WRONGTYPE',
  );
  await expect(openNotices(redis).stop('chat', 'address')).rejects.toThrow('WRONGTYPE');
});
