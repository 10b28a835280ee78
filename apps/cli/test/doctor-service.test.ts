import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { announceProcess, readProcesses } from '@passport/queue/processes';
import { writeSetUp } from '@passport/queue/sweeps';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { FINDING_CODES } from '@passport/set-up';
import { leakGuard, startRedis, waitFor } from '@passport/testkit';
import { serviceLink } from '../src/commands/doctor/finding-links.ts';
import { examine, finds, startTwoKohas } from './doctor-fixture.ts';
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

test('each section of the runbook that a finding leads to is there', () => {
  const runbook = readFileSync(join(import.meta.dirname, '../../../docs/runbook.md'), 'utf8');
  const sections = Array.from(runbook.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading.toLowerCase().replaceAll(' ', '-'),
  );
  const linked = FINDING_CODES.flatMap(
    (code) => serviceLink('', [{ level: 'fault', code }])?.split('#')[1] ?? [],
  );
  expect(linked).toContain('passportnoworker');
  for (const section of linked) expect(sections).toContain(section);
});

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

  test('that answers is there, before it has announced itself', async () => {
    const redis = own(await startRedis());
    const receiver = own(await startFakeReceiver(webhookSecretOf('riverside')));
    const { faults } = await look({ PASSPORT_RECEIVER: receiver.url, REDIS_URL: redis.url });
    expect(faults).toEqual(['service no_worker']);
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

describe('a configuration that was edited and not reloaded', () => {
  const unauthorized = [401, { code: 'unauthorized', reason: 'signature' }] as const;
  const noted = { problems: [], refused: null, shares_address: false, fixed_secrets: 0, reload: null };

  test.each<[what: string, hash: string | null, faults: string[], warnings: string[]]>([
    ['is said once for a library', 'of-before', [], ['service not_reloaded riverside']],
    [
      'is not guessed at where no process says so',
      null,
      ['riverside plugin_receiver', 'service receiver_refuses riverside'],
      [],
    ],
  ])('%s', async (_what, hash, faults, warnings) => {
    const redis = own(await startRedis());
    const log = createLogger({ name: 'test', level: 'silent' });
    const client = createRedis(redis.url, { role: 'producer', log, name: 'test' });
    own({ close: () => closeRedis(client) });
    await untilRedisReady(client, 5_000);
    if (hash !== null) {
      const identity = { kind: 'receiver', version: '1.2.3', host: 'machine' } as const;
      const config = { hash, loaded_ms: 0 };
      const announced = announceProcess(client, 'r1', () => ({ ...identity, ...noted, config }));
      own({ close: () => announced.close() });
      await waitFor('the process', async () => (await readProcesses(client)).length === 1);
    }
    const receiver = own(await startFakeReceiver(webhookSecretOf('riverside'), { post: unauthorized }));
    riverside.putSettings(finds('identity_wrong'));
    const found = await look({ PASSPORT_RECEIVER: receiver.url, REDIS_URL: redis.url });
    const ofReload = /receiver_refuses|not_reloaded|plugin_receiver/;
    expect(found.faults.filter((each) => ofReload.test(each))).toEqual(faults);
    expect(found.warnings.filter((each) => ofReload.test(each))).toEqual(warnings);
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

  test('that refuses to end what the last night found takes nothing of what doctor has found', async () => {
    const redis = own(await startRedis());
    const log = createLogger({ name: 'test', level: 'silent' });
    const client = createRedis(redis.url, { role: 'producer', log, name: 'test' });
    own({ close: () => closeRedis(client) });
    await untilRedisReady(client, 5_000);
    const night = { at_ms: 5, job: null, tries: 0 };
    const fault = { code: 'plugin_off', level: 'fault', name: null } as const;
    await writeSetUp(client, 'riverside', { ...night, findings: [fault] });
    await redis.call('CONFIG', 'SET', 'maxmemory', '1');
    const { libraries, unchecked } = await look({ REDIS_URL: redis.url });
    expect(
      libraries.map(({ id, findings }) => [id, findings.filter(({ level }) => level === 'fault')]),
    ).toEqual([
      ['riverside', []],
      ['midland', []],
    ]);
    expect(unchecked).toContain('service redis_unreachable');
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
