import { describe, expect, test } from '@jest/globals';
import type { RedisReading } from '@passport/queue/metrics';
import { type SeenProcess, writeHealth } from '@passport/queue/processes';
import {
  type ServiceFinding,
  findProcessFaults,
  findRedisFaults,
  openRefusedDeliveries,
  openUnreadableJobs,
  readServiceFindings,
} from '@passport/queue/service';
import { backlogKey } from '@passport/queue/keys';
import { countEvents } from '@passport/queue/scans';
import { NOON, useQueueFixture } from './queue-fixture.ts';

const VERSION = '1.2.3';
const asker = {
  name: 'this command',
  version: VERSION,
  configuration: { name: 'the file here', hash: 'abc123' },
};
const seen = (note: Partial<SeenProcess>): SeenProcess => ({
  id: 'id',
  kind: 'worker',
  version: VERSION,
  host: 'machine-a',
  config: { hash: 'abc123', loaded_ms: 0 },
  refused: null,
  shares_address: false,
  fixed_secrets: 0,
  log_fails: false,
  audit_lost: 0,
  reload: null,
  sinceMs: 0,
  lastSeenMs: 0,
  isLive: true,
  ...note,
});
const worker = seen({});
const receiver = seen({ kind: 'receiver', host: 'machine-b' });
const codesOf = (findings: Iterable<ServiceFinding>): string[] =>
  Array.from(findings, ({ level, code }) => `${level} ${code}`);

describe('of the processes it is a finding', () => {
  test.each<[what: string, processes: readonly SeenProcess[], found: readonly string[]]>([
    ['nothing where all is well', [worker, receiver], []],
    ['that no worker is live', [receiver], ['fault no_worker']],
    [
      'that the only one is gone',
      [{ ...worker, isLive: false }, receiver],
      ['fault no_worker', 'warning process_gone'],
    ],
    ['that no receiver is live', [worker], ['fault no_receiver']],
    [
      'that no worker is of this version',
      [{ ...worker, version: '1.0.0' }, receiver],
      ['fault process_version'],
    ],
    [
      'a warning during an upgrade',
      [worker, { ...worker, version: '1.0.0' }, { ...receiver, version: '1.0.0' }],
      ['warning process_version', 'warning process_version'],
    ],
    [
      'another configuration than that of the file',
      [worker, { ...receiver, config: { hash: 'def456', loaded_ms: 0 } }],
      ['warning config_differs'],
    ],
    ['no configuration of a process that does not say', [worker, { ...receiver, config: null }], []],
    [
      'all users with one address',
      [
        worker,
        { ...receiver, shares_address: true },
        { ...receiver, kind: 'dashboard', shares_address: true },
      ],
      ['warning shared_address', 'warning shared_address'],
    ],
    [
      'a configuration that was refused',
      [worker, { ...receiver, refused: { at_ms: 0, problems: ['libraries[0].id: is missing'] } }],
      ['fault config_refused'],
    ],
    [
      'a log that cannot be written',
      [{ ...worker, log_fails: true, audit_lost: 2 }, receiver],
      ['fault log_lost'],
    ],
    ['audit lines that were lost before', [{ ...worker, audit_lost: 1 }, receiver], ['warning log_lost']],
  ])('%s', (_what, processes, expected) => {
    expect(codesOf(findProcessFaults(processes, asker))).toEqual(expected);
  });
});

describe('of Redis it is a finding', () => {
  const reading: RedisReading = {
    version: '8.0.0',
    memoryUsedBytes: 10,
    memoryLimitBytes: 100,
    policy: 'noeviction',
    keepsAof: true,
    replicas: 0,
  };
  test.each<[what: string, change: Partial<RedisReading>, found: readonly string[]]>([
    ['nothing where all is well', {}, []],
    [
      'nothing where it does not say',
      { policy: null, keepsAof: null, memoryUsedBytes: null, memoryLimitBytes: null },
      [],
    ],
    ['that it may evict events', { policy: 'allkeys-lru' }, ['fault redis_policy']],
    ['that it keeps no file', { keepsAof: false }, ['warning redis_no_file']],
    ['that it is nearly full', { memoryUsedBytes: 91 }, ['warning redis_filling']],
  ])('%s', (_what, change, expected) => {
    expect(codesOf(findRedisFaults({ ...reading, ...change }))).toEqual(expected);
  });
});

describe('of libraries', () => {
  const fixture = useQueueFixture();
  const ofLibraries = async (...ids: readonly string[]) =>
    (await readServiceFindings(fixture.redis, ids, asker, Date.now())).filter(
      ({ code }) => !['no_worker', 'no_receiver', 'redis_no_file'].includes(code),
    );

  test('what the receivers refuse is added up until something is taken, with the newest reason', async () => {
    const rows = openRefusedDeliveries(fixture.redis);
    await rows.note([{ library: 'midland', reason: 'signature', secondsAhead: 0, count: 2 }]);
    await rows.note([
      { library: 'midland', reason: 'clock', secondsAhead: -600, count: 1 },
      { library: 'unknown', reason: 'signature', secondsAhead: 0, count: 1 },
    ]);
    const found = await ofLibraries('midland', 'riverside');
    expect(codesOf(found)).toEqual(['fault deliveries_refused', 'warning unknown_sender']);
    expect(found[0]).toMatchObject({
      library: 'midland',
      problem: expect.stringMatching(
        /^is refused by the receiver since .* \(3 times\): its clock is .* behind$/,
      ),
      remedy: expect.stringContaining('synchronise the clock'),
    });
    await rows.clear(['midland', 'unknown']);
    expect(await ofLibraries('midland')).toEqual([]);
  });

  test('a library that was removed from the configuration is not named, and a day without a refusal ends it', async () => {
    const rows = openRefusedDeliveries(fixture.redis);
    await rows.note([{ library: 'midland', reason: 'library', secondsAhead: 0, count: 1 }]);
    expect(await ofLibraries('riverside')).toEqual([]);
    expect((await rows.read(Date.now() + 25 * 3_600_000)).size).toBe(0);
  });

  test('reports that one worker saw refused are over once another worker saw one taken', async () => {
    const health = {
      open: false,
      last_success_ms: NOON,
      last_failure_ms: null,
      last_failure: null,
      answer_ms: 40,
      problem: null,
    };
    const nowMs = Date.now();
    const refused = { since_ms: nowMs - 60_000, last_ms: nowMs - 1_000, code: 'not_found' };
    await writeHealth(fixture.redis, 'midland', 'one', { ...health, reports_refused: refused, at_ms: nowMs });
    const [finding] = await ofLibraries('midland');
    expect(finding).toMatchObject({
      level: 'fault',
      code: 'reports_refused',
      library: 'midland',
      problem: expect.stringContaining('(not_found)'),
    });
    await writeHealth(fixture.redis, 'midland', 'two', { ...health, report_taken_ms: nowMs, at_ms: nowMs });
    expect(await ofLibraries('midland')).toEqual([]);
  });

  test('a job that cannot be read is named until it is discarded, and counts as failed', async () => {
    const { redis, queue, mover } = fixture;
    const data = { v: 99 } as never;
    await queue.add('riverside', data, { jobId: 'riverside.evt_bad', priority: 1 });
    await mover.fail(await mover.take());
    await redis.zadd(backlogKey('riverside'), 1, 'evt_bad');
    await openUnreadableJobs(redis).note('riverside.evt_bad');
    const [found] = await ofLibraries('riverside');
    expect(found).toMatchObject({
      level: 'fault',
      code: 'unreadable_job',
      problem: expect.stringContaining('riverside.evt_bad'),
    });
    expect(await countEvents(redis, queue, ['riverside'])).toMatchObject({ queued: 0, failed: 1 });
    await (await queue.getJob('riverside.evt_bad'))?.remove();
    expect(await ofLibraries('riverside')).toEqual([]);
  });

  test('of a full Redis nobody is said to be gone: it takes no announcement', async () => {
    await fixture.server.call('CONFIG', 'SET', 'maxmemory', '1');
    const found = await readServiceFindings(fixture.redis, [], asker, Date.now());
    await fixture.server.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(codesOf(found)).toContain('warning redis_filling');
    expect(codesOf(found)).not.toContain('fault no_worker');
  });
});
