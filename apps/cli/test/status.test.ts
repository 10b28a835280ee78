import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type ProcessIdentity,
  type ProcessNote,
  type SeenProcess,
  announceProcess,
  readProcesses,
} from '@passport/queue/processes';
import { type ScanJobs, openScanQueue } from '@passport/queue/scans';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis, waitFor } from '@passport/testkit';
import { checkProcesses } from '../src/commands/doctor/check-service.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const VERSION = '1.2.3'; // of the command, in run-cli.ts
const double = {
  library: 'riverside',
  url: 'http://127.0.0.1:9',
  credentials: { clientId: 'of-riverside', clientSecret: 'a secret of riverside alone' },
};

let server: StartedRedis;
let redis: Redis;
let queue: ScanJobs;
const announced: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await startRedis();
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  await server.call('CONFIG', 'SET', 'maxmemory', '256mb');
  redis = createRedis(server.url, {
    role: 'producer',
    log: createLogger({ name: 'test', level: 'silent' }),
    name: 'test',
  });
  await untilRedisReady(redis, 5_000);
  queue = openScanQueue(redis);
  await queue.waitUntilReady();
});
afterEach(async () => {
  await Promise.all(announced.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  await queue.close();
  await closeRedis(redis);
  await server.stop();
});

async function announce(...notes: readonly ProcessNote[]): Promise<void> {
  for (const [place, note] of notes.entries())
    announced.push(announceProcess(redis, `id-${place}`, () => note));
  await waitFor('all of them in the list', async () => (await readProcesses(redis)).length === notes.length);
}

const worker: ProcessIdentity = { kind: 'worker', version: VERSION, host: 'machine-a' };
const receiver: ProcessIdentity = { kind: 'receiver', version: VERSION, host: 'machine-b' };
const status = (...args: readonly string[]) =>
  passport(['status', ...args], { ...consortiumOf([double]), REDIS_URL: server.url });

describe('passport status', () => {
  test('shows processes with their versions, the queue and Redis, in 80 columns: exit code 0', async () => {
    await announce(worker, receiver);
    const { code, out, err } = await status();

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^processes\n {2}worker {5}1\.2\.3 {4}machine-a {2}live {2}for \d+ s\n {2}receiver {3}1\.2\.3 /,
    );
    expect(out).toMatch(
      /\nqueue\n {2}queued 0, working 0, waiting 0, failed 0, done 0\n {2}no unfinished event\n/,
    );
    expect(out).toMatch(
      /\nredis\n {2}\d+\.\d+\.\d+, [\d.]+ MB of [\d.]+ MB, noeviction, append-only file\n$/,
    );
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('as JSON, without the ids that processes have in Redis', async () => {
    await announce(worker, receiver);
    expect(jsonOf(await status('--json'))).toMatchObject({
      ok: true,
      processes: [
        {
          kind: 'worker',
          version: VERSION,
          host: 'machine-a',
          live: true,
          since: expect.stringMatching(/Z$/),
        },
        { kind: 'receiver' },
      ],
      queue: { queued: 0, oldest_seconds: 0, backlogs: { riverside: 0 } },
      redis: { policy: 'noeviction', aof: true },
      findings: [],
    });
    expect((await status('--json')).out).not.toContain('id-0');
  });

  test('without a live worker it is a fault: exit code 1', async () => {
    await announce(receiver);
    const { code, out } = await status();
    expect(code).toBe(1);
    expect(out).toContain('fault no_worker: no worker is live: events are accepted and not processed');
  });
});

describe('of the processes it is a finding', () => {
  const seen = (note: Partial<SeenProcess>): SeenProcess => ({
    ...worker,
    config: { hash: 'abc123', loaded_ms: 0 },
    refused: null,
    shares_address: false,
    fixed_secrets: 0,
    reload: null,
    id: 'id',
    sinceMs: 0,
    lastSeenMs: 0,
    isLive: true,
    ...note,
  });
  const found = (...processes: readonly Partial<SeenProcess>[]) =>
    [...checkProcesses(processes.map(seen), { version: VERSION, fileHash: 'abc123' })].map(
      ({ level, code }) => `${level} ${code}`,
    );

  test.each<[what: string, processes: readonly Partial<SeenProcess>[], found: readonly string[]]>([
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
  ])('%s', (_what, processes, expected) => {
    expect(found(...processes)).toEqual(expected);
  });
});
