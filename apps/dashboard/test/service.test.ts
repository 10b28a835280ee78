import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SeenProcess } from '@passport/queue/processes';
import { type RedisState, type ServiceState, serviceFaults } from '../src/overview/service-state.ts';
import { type DashboardFixture, openDashboardFixture } from './dashboard-fixture.ts';

const WORKER: SeenProcess = {
  id: 'w1',
  kind: 'worker',
  version: '1.2.3',
  host: 'machine-1',
  config: { hash: 'aaaaaaaaaaaa', loaded_ms: 1_000 },
  refused: null,
  shares_address: false,
  fixed_secrets: 0,
  reload: null,
  sinceMs: 1_000,
  lastSeenMs: 5_000,
  isLive: true,
};
const RECEIVER: SeenProcess = { ...WORKER, id: 'r1', kind: 'receiver' };
const REDIS: RedisState = {
  memoryUsedBytes: 10,
  memoryLimitBytes: 100,
  policy: 'noeviction',
  keepsAof: true,
};
const WELL: ServiceState = { processes: [WORKER, RECEIVER], redis: REDIS, isDetailed: true };
const faultsOf = (change: Partial<ServiceState>): readonly string[] =>
  serviceFaults({ ...WELL, ...change }).map(({ isGrave, sentence }) => `${isGrave ? '! ' : ''}${sentence}`);
const redis = (change: Partial<RedisState>): Partial<ServiceState> => ({ redis: { ...REDIS, ...change } });

describe('what is wrong with the service', () => {
  test('is nothing while a worker and a receiver are live and Redis is as it must be', () => {
    expect(faultsOf({})).toEqual([]);
    expect(faultsOf({ redis: null })).toEqual([]);
    expect(faultsOf(redis({ policy: null, keepsAof: null, memoryUsedBytes: null }))).toEqual([]);
  });

  test.each<[string, Partial<ServiceState>, RegExp]>([
    [
      'no worker',
      { processes: [RECEIVER] },
      /^! No worker is running\. Scans are accepted but not processed/,
    ],
    ['no receiver', { processes: [WORKER] }, /^! No receiver is running\./],
    ['eviction', redis({ policy: 'allkeys-lru' }), /^Redis may evict keys/],
    ['no append-only file', redis({ keepsAof: false }), /^Redis keeps no append-only file/],
    ['a Redis that is nearly full', redis({ memoryUsedBytes: 91 }), /^Redis uses 91 % of its memory/],
  ])('is %s', (_what, change, sentence) => {
    expect(faultsOf(change)).toEqual([expect.stringMatching(sentence)]);
  });

  test('is a worker that disappeared, and graver where it was the last one', () => {
    const missing = { ...WORKER, id: 'w2', isLive: false };
    expect(faultsOf({ processes: [WORKER, RECEIVER, missing] })).toEqual([
      '1 process has disappeared in the last ten minutes without being stopped.',
    ]);
    expect(faultsOf({ processes: [RECEIVER, missing] })).toEqual([
      expect.stringMatching(/^! No worker/),
      expect.stringMatching(/^1 process has disappeared/),
    ]);
  });

  test('is a mixture of versions, of those that are live', () => {
    const older = { ...WORKER, id: 'w2', version: '1.2.2' };
    expect(faultsOf({ processes: [WORKER, older, RECEIVER] })).toEqual([
      expect.stringMatching(/different versions are running \(1\.2\.2, 1\.2\.3\)/),
    ]);
    expect(faultsOf({ processes: [WORKER, { ...older, isLive: false }, RECEIVER] })).toEqual([
      expect.stringMatching(/disappeared/),
    ]);
  });
});

describe('what is wrong with the configuration', () => {
  test('is one that a process has refused, with the first problem', () => {
    const refused = { at_ms: 5_000, problems: ['libraries[1].name: is missing', 'agreements: is missing'] };
    expect(faultsOf({ processes: [{ ...WORKER, refused }, RECEIVER] })).toEqual([
      'The last change of the configuration was refused, and is not in force: libraries[1].name: is missing.',
    ]);
  });

  test('is that live processes have different ones; one of a version before does not say', () => {
    const other = { ...WORKER, id: 'w2', config: { hash: 'bbbbbbbbbbbb', loaded_ms: 1_000 } };
    expect(faultsOf({ processes: [WORKER, other, RECEIVER] })).toEqual([
      'Processes have different configurations (aaaaaaaaaaaa, bbbbbbbbbbbb): run passport config reload.',
    ]);
    expect(faultsOf({ processes: [WORKER, { ...other, config: null }, RECEIVER] })).toEqual([]);
  });
});

describe('the overview', () => {
  let fixture: DashboardFixture;
  beforeAll(async () => {
    fixture = await openDashboardFixture();
  });
  afterEach(() => fixture.clear());
  afterAll(() => fixture.close());
  const page = async (): Promise<string> =>
    (await fixture.request({ url: '/' })).body.replaceAll(/\s+/g, ' ');
  const announce = async (id: string, kind: string, ms = 0): Promise<void> => {
    const at = Date.now() - ms;
    const config = { hash: 'cccccccccccc', loaded_ms: at };
    const note = JSON.stringify({ kind, version: '7.8.9', host: '<machine>', config });
    await fixture.redis.hset('{passport}:processes', id, `${at} ${at} ${note}`);
  };

  test('says that no worker is running, however well the libraries look', async () => {
    await announce('r', 'receiver');
    expect(await page()).toContain('<strong>Problem:</strong> No worker is running.');
    await announce('w', 'worker');
    expect(await page()).not.toContain('<strong>Problem:</strong>');
  });

  test('shows each process with its version, machine and times, and those that are missing', async () => {
    await announce('w', 'worker');
    await announce('r', 'receiver', 120_000);
    const body = await page();
    expect(body).toMatch(/<dt>Workers<\/dt> <dd><span class="state state-up">1 live/);
    expect(body).toMatch(/<dt>Receivers<\/dt> <dd><span class="state state-open">none live/);
    expect(body).toMatch(
      /<th scope="row">worker<\/th>.*?>live<.*?7\.8\.9.*?&lt;machine&gt;.*?<code>cccccccccccc<\/code>/,
    );
    expect(body).toMatch(/<th scope="row">receiver<\/th>.*?>missing<.*?2 minutes ago/);
    expect(body).toMatch(/<dt>Redis<\/dt> <dd><span class="state state-up">answers<.*? MB, no limit set/);
  });

  test('has no figures of a Redis that does not give them', async () => {
    await fixture.server.call('ACL', 'SETUSER', 'default', '-info');
    const body = await page();
    await fixture.server.call('ACL', 'SETUSER', 'default', '+info');
    expect(body).toMatch(/<dt>Redis<\/dt> <dd><span class="state state-up">answers<\/span> <\/dd>/);
  });
});
