import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard, startRedis } from '@passport/testkit';
import { examine, startTwoKohas } from './doctor-fixture.ts';
import { startFakeReceiver } from './fake-receiver.ts';
import { webhookSecretOf } from './run-cli.ts';

/** `passport doctor` against the service itself. */
const own = leakGuard({ beforeEach, afterEach });

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
});
const look = (env: NodeJS.ProcessEnv, args: readonly string[] = []) =>
  examine({ riverside, midland }, { env, args });

describe('the receiver', () => {
  test('is sent a test event, signed as each library that reports scans', async () => {
    const receiver = own(await startFakeReceiver(webhookSecretOf('riverside')));
    const { faults } = await look({ PASSPORT_RECEIVER: receiver.url });
    expect(faults).toEqual([]);
    expect(receiver.arrived).toMatchObject([{ method: 'POST', url: '/webhooks/riverside', genuine: true }]);
    expect(JSON.parse(receiver.arrived[0]?.body ?? '')).toEqual({
      type: 'passport.test',
      timestamp: expect.any(String),
      data: {},
    });
  });

  test('that does not answer is one fault, of the service', async () => {
    const { code, faults } = await look({ PASSPORT_RECEIVER: 'http://127.0.0.1:1' });
    expect({ code, faults }).toEqual({ code: 1, faults: ['service receiver_unreachable'] });
    const meant = await look({ PASSPORT_RECEIVER: 'http://127.0.0.1:1' }, [
      '--ignore',
      'receiver_unreachable',
    ]);
    expect(meant.code).toBe(0);
  });

  test.each<[what: string, answer: readonly [number, unknown], problem: RegExp]>([
    [
      'with another configuration',
      [401, { code: 'unauthorized', reason: 'signature' }],
      /does not know riverside and the secret that the configuration has for it/,
    ],
    ['with another clock', [401, { code: 'unauthorized', reason: 'clock' }], /more than five minutes apart/],
    ['without Redis', [503, { code: 'unavailable' }], /does not accept events of riverside now \(503\)/],
    ['that is none', [200, '<html>'], /answers 200: this is not an answer of a receiver/],
  ])('%s refuses a library', async (_what, post, problem) => {
    const receiver = own(await startFakeReceiver(webhookSecretOf('riverside'), { post }));
    const { faults, service } = await look({ PASSPORT_RECEIVER: receiver.url });
    expect(faults).toEqual(['service receiver_refuses riverside']);
    expect(service.findings[0]?.problem).toMatch(problem);
  });
});

describe('Redis', () => {
  test('is not checked where its address is not known', async () => {
    expect((await look({})).unchecked).toContain('service redis_unreachable');
  });

  test('that is away is a fault', async () => {
    const { code, faults } = await look({ REDIS_URL: 'redis://127.0.0.1:1' });
    expect({ code, faults }).toEqual({ code: 1, faults: ['service redis_unreachable'] });
  });

  test('that may evict events is a fault, and one without a file a warning', async () => {
    const redis = own(await startRedis());
    await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await redis.call('CONFIG', 'SET', 'appendonly', 'no');
    const { faults, warnings } = await look({ REDIS_URL: redis.url });
    expect(faults).toContain('service redis_policy');
    expect(warnings).toEqual(['service redis_no_file']);
  });
});
