import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Library } from '@passport/config';
import { readSetUps, writeSetUp } from '@passport/queue/sweeps';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type Finding, fault, warning } from '@passport/set-up';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { noteRepaired } from '../src/commands/doctor/note-repaired.ts';

let server: StartedRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});

const CARD = '21234000000017';
const copy = {
  passportAttribute: 'PASSPORTED',
  homeKeyAttribute: null,
  category: null,
  branch: { kind: 'scan' },
};
const library = { id: 'riverside', copy } as unknown as Library;
const night = { at_ms: 5, job: 'the next', tries: 1 };
const found = [{ code: 'plugin_off', level: 'fault', name: null }] as const;

const note = async (...findings: readonly Finding[]) => {
  const consortium = { libraries: [library] } as never;
  await noteRepaired([{ library, findings }], consortium, { redis, now: () => Promise.resolve(9) });
  return (await readSetUps(redis)).get('riverside');
};

test('a doctor that finds no fault ends what the night found, keeps its other findings in codes, and leaves the next check alone', async () => {
  await writeSetUp(redis, 'riverside', { ...night, findings: [...found], unchecked_since_ms: 6 });
  expect(await note(warning('plugin_finding', 'something', 'do something', CARD))).toEqual({
    ...night,
    at_ms: 9,
    findings: [{ code: 'plugin_finding', level: 'warning', name: null }],
  });
});

test('a doctor that finds a fault, or has nothing to end, writes nothing', async () => {
  expect(await note()).toBeUndefined();
  const before = { ...night, findings: [...found] };
  await writeSetUp(redis, 'riverside', before);
  expect(await note(fault('unreachable', 'no answer', 'look'))).toEqual(before);
});
