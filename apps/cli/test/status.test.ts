import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type LibraryHealth,
  type ProcessIdentity,
  type ProcessNote,
  announceProcess,
  pauseLibraries,
  readProcesses,
  writeHealth,
} from '@passport/queue/processes';
import { type ScanJobs, openScanQueue } from '@passport/queue/scans';
import { writeSetUp } from '@passport/queue/sweeps';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis, waitFor } from '@passport/testkit';
import { TERMINAL, consortiumOf, foldedAt80, jsonOf, passport } from './run-cli.ts';

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

describe('passport status of libraries', () => {
  const minuteMs = 60_000;
  const statusOf = (ids: readonly string[], ...args: readonly string[]) => {
    const doubles = ids.map((library, place) => ({
      ...double,
      library,
      url: `http://127.0.0.1:${place + 1}`,
    }));
    return passport(['status', ...args], { ...consortiumOf(doubles), REDIS_URL: server.url });
  };
  const see = (library: string, change: Partial<LibraryHealth>): Promise<void> =>
    writeHealth(redis, library, 'worker-1', {
      open: false,
      open_since_ms: null,
      last_success_ms: Date.now() - 3 * minuteMs,
      last_failure_ms: null,
      last_failure: null,
      answer_ms: 40,
      waiting: 0,
      problem: null,
      reports_refused: null,
      report_taken_ms: null,
      at_ms: Date.now(),
      ...change,
    });
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+`;

  test('what is not well comes first of all: since when, why, until when; a line for each', async () => {
    const now = Date.now();
    await see('midland', {
      open: true,
      open_since_ms: now - 2 * minuteMs,
      last_failure_ms: now,
      last_failure: 'timeout',
    });
    await see('lakeside', { problem: { what: 'category', name: 'PT' } });
    await see('riverside', {});
    const pause = { until_ms: now + 60 * minuteMs, reason: 'Koha upgrade', by: 'tester', at_ms: now };
    await pauseLibraries(redis, [
      { library: 'hilltop', side: 'home', ...pause },
      { library: 'hilltop', side: 'lending', ...pause },
    ]);
    const { out } = await statusOf(['riverside', 'midland', 'lakeside', 'hilltop', 'seaside']);

    expect(out.split('\n').slice(0, 6)).toEqual([
      'libraries',
      '  lakeside  misconfigured (category PT), last success 3 minutes ago',
      expect.stringMatching(
        `^ {2}midland {3}away since ${time}, 2 minutes ago \\(timeout\\), last success 3 minutes ago$`,
      ),
      expect.stringMatching(`^ {2}hilltop {3}paused until ${time}, in 59 minutes \\(Koha upgrade\\)$`),
      '  1 is well, 1 not seen yet (--all lists them)',
      'processes',
    ]);
  });

  test('with --all each has its line; as JSON, times are in UTC', async () => {
    await see('riverside', {});
    const { out } = await statusOf(['riverside', 'seaside'], '--all');
    expect(out).toContain(
      '  seaside    not seen yet\n  riverside  up, last success 3 minutes ago\nprocesses\n',
    );

    expect(jsonOf(await statusOf(['riverside', 'hilltop'], '--json'))).toMatchObject({
      libraries: [
        { id: 'riverside', state: 'up', away_since: null, last_success: expect.stringMatching(/Z$/) },
        { id: 'hilltop', paused: [{ as: 'home', reason: 'Koha upgrade' }, { as: 'lending' }] },
      ],
    });
  });

  test('what the nightly check of a set-up found stands beside it, a fault alone makes a library one to look at', async () => {
    const findings = ['category_unknown', 'plugin_off', 'enrolment_fee', 'plugin_tables'] as const;
    const seen = { at_ms: Date.now() - 180 * minuteMs, job: null, tries: 0 };
    await see('riverside', {});
    await see('midland', {});
    const warning = { code: 'few_workers', level: 'warning', name: null } as const;
    await writeSetUp(redis, 'midland', { ...seen, findings: [warning] });
    const faults = findings.map((code) => ({
      code,
      level: 'fault' as const,
      name: code === 'category_unknown' ? 'PT' : null,
    }));
    await writeSetUp(redis, 'riverside', { ...seen, findings: [...faults, warning] });
    const { out } = await statusOf(['riverside', 'midland']);
    expect(out.split('\n').slice(1, 3)).toEqual([
      '  riverside  up, last success 3 minutes ago; set-up: category_unknown PT, plugin_off and 2 more (checked 3 hours ago)',
      '  1 is well (--all lists them)',
    ]);
    expect(jsonOf(await statusOf(['midland'], '--json'))).toMatchObject({
      libraries: [{ set_up: { checked: expect.stringMatching(/Z$/), findings: [warning] } }],
    });
    const last = await passport(['doctor', '--last', '--ignore', 'plugin_off'], {
      ...consortiumOf([double, { ...double, library: 'seaside', url: 'http://127.0.0.1:8' }]),
      REDIS_URL: server.url,
    });
    expect(last.code).toBe(1);
    expect(last.out.split('\n').filter((text) => !text.includes('few_workers'))).toEqual([
      expect.stringMatching(`^riverside .*: checked ${time}, 3 hours ago$`),
      '  fault category_unknown: its Koha lacks a patron category of copies (PT)',
      '  fault enrolment_fee: copies are charged an enrolment fee',
      "  fault plugin_tables: tables of the plugin's are missing",
      expect.stringMatching(/^seaside .*: not checked yet$/),
      'what to do about each, by a check of now: passport doctor LIBRARY',
      '',
    ]);
    await redis.del('{passport}:set-up');
  });

  test('a set-up that could not be checked says since when, and when it was', async () => {
    await see('riverside', {});
    const fault = { code: 'unreachable', level: 'fault', name: null } as const;
    const silent = {
      job: null,
      tries: 0,
      findings: [fault],
      unchecked_since_ms: Date.now() - 180 * minuteMs,
    };
    await writeSetUp(redis, 'riverside', { ...silent, at_ms: null });
    expect((await statusOf(['riverside'])).out).toContain('; set-up: unreachable (not checked yet)\n');
    await writeSetUp(redis, 'riverside', { ...silent, at_ms: Date.now() - 1_440 * minuteMs });
    const env = { ...consortiumOf([double]), REDIS_URL: server.url };
    const last = await passport(['doctor', '--last'], env);
    expect(last.out.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(`^riverside .*: unchecked since ${time}, 3 hours ago$`),
      expect.stringMatching(`^  last checked ${time}, 1 day ago$`),
      '  fault unreachable: its Koha does not answer',
    ]);
    expect(jsonOf(await passport(['doctor', '--last', '--json'], env))).toMatchObject({
      libraries: [{ unchecked_since: expect.stringMatching(/Z$/) }],
    });
    await redis.del('{passport}:set-up');
  });

  test('what is not well leads to its page, where the dashboard has an address', async () => {
    const dashboard = 'https://passport.example.org';
    const link = `${dashboard}/libraries/riverside`;
    const env = {
      ...consortiumOf([double, { ...double, library: 'midland', url: 'http://127.0.0.1:8' }], {
        public: { dashboard },
      }),
      REDIS_URL: server.url,
    };
    await see('riverside', {});
    await see('midland', {});
    const fault = { code: 'plugin_off', level: 'fault', name: null } as const;
    await writeSetUp(redis, 'riverside', { at_ms: Date.now(), job: null, tries: 0, findings: [fault] });
    const { out } = await passport(['status'], env);
    expect(out).toMatch(/\n {2}more: https:\/\/passport\.example\.org\/\n {2}1 is well .*\nprocesses\n/);
    expect(out).toMatch(/\n {2}more: https:\/\/passport\.example\.org\/runbook#passportnoworker\n$/);
    const libraries = [
      { id: 'riverside', link },
      { id: 'midland', link: null },
    ];
    expect(jsonOf(await passport(['status', '--json'], env))).toMatchObject({
      libraries,
      link: `${dashboard}/runbook#passportnoworker`,
    });
    const last = ['doctor', '--last'];
    expect((await passport(last, env)).out).toContain(
      `by a setting of the plugin\n  more: ${link}\nmidland `,
    );
    expect(jsonOf(await passport([...last, '--json'], env))).toMatchObject({ libraries });
    await redis.del('{passport}:set-up');
    const well = await passport(['status'], env);
    expect(well.out).toMatch(/^libraries\n {2}2 are well\nprocesses\n/);
  });

  test('where all are well, one line says so', async () => {
    await see('riverside', {});
    expect((await statusOf(['riverside'])).out).toMatch(/^libraries\n {2}1 is well\nprocesses\n/);
  });
});

describe('passport status', () => {
  test('shows processes with their versions, the queue and Redis, in 80 columns: exit code 0', async () => {
    await announce(worker, receiver);
    const { code, out, err } = await status();

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^libraries\n.*\nprocesses\n {2}worker {5}1\.2\.3 {4}machine-a {2}live {2}for [\d.]+ s\n {2}receiver {3}1\.2\.3 /,
    );
    expect(out).toMatch(
      /\nqueue\n {2}queued 0, working 0, waiting 0, failed 0, done 0\n {2}no unfinished event\n/,
    );
    expect(out).toMatch(
      /\nredis\n {2}\d+\.\d+\.\d+, [\d.]+ MB of [\d.]+ MB, noeviction, append-only file\n$/,
    );
    expect(foldedAt80(out)).toEqual([]);
  });

  test('and doctor, with names as long as they may be, fit a terminal of 80 columns; a text continues below itself', async () => {
    const longest = 'of-a-consortium-that-has-very-long-ids-x';
    const env = {
      ...consortiumOf([double, { ...double, library: longest, url: 'http://127.0.0.1:8' }], {
        public: { dashboard: `https://dashboard.${'patron-passport.'.repeat(3)}example.org` },
      }),
      REDIS_URL: server.url,
      PASSPORT_INSTALL: 'debian',
    };
    const host = `patron-passport-worker-${'7d9c8b6f5d'.repeat(4)}`;
    await announce(worker, { ...worker, version: '1.2.3-rc.1', host });
    const nowMs = Date.now();
    const away = {
      open: true,
      open_since_ms: nowMs - 120_000,
      last_failure_ms: nowMs,
      last_failure: 'timeout_connect',
    };
    const calm = { last_success_ms: nowMs - 300_000, answer_ms: 40, waiting: 0, problem: null, at_ms: nowMs };
    const findings = (['category_unknown', 'attribute_type_not_unique', 'plugin_off'] as const).map(
      (code) => ({
        code,
        level: 'fault' as const,
        name: 'A_LONG_CATEGORY',
      }),
    );
    for (const library of [longest, 'riverside']) {
      await writeHealth(redis, library, 'worker-1', { ...calm, ...away });
      await writeSetUp(redis, library, {
        at_ms: nowMs,
        job: null,
        tries: 0,
        findings,
        unchecked_since_ms: nowMs,
      });
    }
    const { out } = await passport(['status', '--all'], env, TERMINAL);
    expect(out).toMatch(/\n {2}riverside {2}away since [^\n]*\n {13}\S/);
    expect(out).toMatch(new RegExp(`\n  worker     1.2.3-rc.1\n    ${host}\n {13,}live  for`));
    expect(foldedAt80(out)).toEqual([]);
    for (const command of [['doctor'], ['doctor', '--last']])
      expect(foldedAt80((await passport(command, env, TERMINAL)).out)).toEqual([]);
    await redis.del('{passport}:set-up');
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
