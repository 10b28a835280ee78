import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { rewriteLogWhenDue } from '@passport/queue/retention';
import { leakGuard, waitFor } from '@passport/testkit';
import { type QueueFixture, openQueueFixture } from './queue-fixture.ts';

const own = leakGuard({ beforeEach, afterEach });
const HOUR_MS = 3_600_000;
const open = async (appendonly: boolean): Promise<QueueFixture> => {
  const fixture = await openQueueFixture({ appendonly });
  own({ stop: () => fixture.close() });
  return fixture;
};
const onDisk = ({ server }: QueueFixture): string =>
  readdirSync(server.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('');

test('what was removed leaves the append-only file within the hour, by one of many workers', async () => {
  const fixture = await open(true);
  await fixture.redis.set('job', 'encrypted-card-7f3e9a');
  await fixture.redis.del('job');
  expect(onDisk(fixture)).toContain('encrypted-card-7f3e9a');

  const results = await Promise.all([1, 2, 3].map(() => rewriteLogWhenDue(fixture.redis, HOUR_MS)));

  expect(results.toSorted()).toEqual(['not due', 'not due', 'started']);
  await waitFor('the old file to be gone', () => !onDisk(fixture).includes('encrypted-card-7f3e9a'));
  const ttl = await fixture.redis.pttl('{passport}:rewrite');
  expect(ttl).toBeGreaterThan(HOUR_MS - 60_000);
});

test('a Redis that does not let us says so, and without such a file there is nothing to do', async () => {
  const managed = await open(true);
  await managed.server.call('ACL', 'SETUSER', 'default', '-bgrewriteaof');
  expect(await rewriteLogWhenDue(managed.redis, HOUR_MS)).toBe('refused');

  await managed.server.call('ACL', 'SETUSER', 'default', '-info');
  await managed.redis.del('{passport}:rewrite');
  expect(await rewriteLogWhenDue(managed.redis, HOUR_MS)).toBe('refused');

  const plain = await open(false);
  expect(await rewriteLogWhenDue(plain.redis, HOUR_MS)).toBe('no append-only file');
});
