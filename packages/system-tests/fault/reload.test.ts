import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatWebhookSecret } from '@passport/contract';
import { createReceiverClient, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { type Sender, type Sent, createSender } from './sender.ts';

type Ids = 'midland' | 'riverside';

/** Other tests run at the same time, on two cores. */
const PATIENT = { timeoutMs: 90_000 };
const TEST_MS = 180_000;

/** Each night more (`NIGHTLY`). */
const PER_SECOND = process.env['NIGHTLY'] ? 20 : 10;
/** On a machine that is too busy to keep up, no more are sent while so many are unfinished. */
const MOST_UNFINISHED = 60;
/** Of the home library: a few runs are always under way. Copies are created one at a time, so the lending library is quick. */
const LATENCY_MS = 250;

let consortium: Consortium<Ids>;
let dir: string;
const fileOf = (name: string): string => join(dir, name);

/** As an editor does it: another file takes the place of the one that is there. */
function put(name: string, text: string): void {
  writeFileSync(fileOf(`${name}.new`), text);
  renameSync(fileOf(`${name}.new`), fileOf(name));
}

const newSecret = (): string => formatWebhookSecret(randomBytes(32));
const FIRST = newSecret();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'passport-reload-'));
  put('webhook', FIRST);
  const ids = { midland: ['id-midland', randomUUID()], riverside: ['id-riverside', randomUUID()] } as const;
  const plan = (id: Ids) => {
    const [clientId, clientSecret] = ids[id];
    put(`${id}_id`, clientId);
    put(`${id}_secret`, clientSecret);
    return {
      koha: { credentials: { clientId, clientSecret } },
      entry: {
        koha: { client_id: { file: fileOf(`${id}_id`) }, client_secret: { file: fileOf(`${id}_secret`) } },
      },
    };
  };
  const { entry } = plan('riverside');
  consortium = await startConsortium<Ids>({
    libraries: {
      midland: { ...plan('midland'), reports: false },
      riverside: {
        ...plan('riverside'),
        entry: {
          ...entry,
          webhook_secrets: [{ file: fileOf('webhook') }],
          copy: { set: { statistics_1: 'old' } },
        },
      },
    },
    receivers: 2,
    workers: 3,
    dashboards: 1,
    keys: {
      defaults: {
        copy: { category: 'PT' },
        limits: { events_per_second: 1_000, burst: 1_000, copies_per_hour: 100_000 },
        retry: { checkout_within: '30m', give_up_after: '1h' },
      },
    },
  });
  consortium.doubles.midland.putSettings({ latency_ms: LATENCY_MS });
}, TEST_MS);
afterAll(async () => {
  await consortium?.stop();
  rmSync(dir, { recursive: true, force: true });
}, TEST_MS);

interface Entry {
  copy?: object;
  webhook_secrets?: object[];
  [key: string]: unknown;
}

/** Changes riverside's entry in the configuration file. */
function edit(change: Entry): void {
  const path = consortium.services.env['PASSPORT_CONFIG'] ?? '';
  const file = JSON.parse(readFileSync(path, 'utf8')) as { libraries: (Entry & { id: string })[] };
  const libraries = file.libraries.map((each) => (each.id === 'riverside' ? { ...each, ...change } : each));
  writeFileSync(`${path}.new`, JSON.stringify({ ...file, libraries }, null, 2));
  renameSync(`${path}.new`, path);
}

const reload = () => runPassport(['config', 'reload', '--json'], { env: consortium.services.env });
/** Reloads, and returns what each process answered. */
async function reloaded(): Promise<readonly string[]> {
  const { code, out } = await reload();
  const { ok, processes } = JSON.parse(out) as {
    ok: boolean;
    processes: { process: string; result: string }[];
  };
  expect({ code, ok }).toEqual({ code: ok ? 0 : 1, ok });
  return processes.map(({ process, result }) => `${process}: ${result}`);
}
const ALL_LOADED = ['worker', 'worker', 'worker', 'receiver', 'receiver', 'dashboard'].map(
  (name) => `${name}: loaded`,
);

const senderWith = (secret: string): Sender =>
  createSender({
    receiverUrls: consortium.services.receivers.map(({ url }) => url),
    library: 'riverside',
    secret,
  });
let send: Sender;
/** The secret that counts by now. */
let secret = FIRST;
const atRiverside = () =>
  createReceiverClient({
    receiverUrl: consortium.services.receivers[0]?.url ?? '',
    library: 'riverside',
    secret,
  });
const scan = (): ReturnType<Sender> => {
  const { midland, riverside } = consortium.doubles;
  return send({ cardnumber: registerPatron(midland), item_barcode: shelveBook(riverside) });
};

/** Copies that were made under the configuration that says `old`. */
const copiesSaying = (word: string): number =>
  consortium.doubles.riverside.state().patrons.filter((row) => row['statistics_1'] === word).length;

const ended = (): number =>
  consortium.doubles.riverside.state().outcomes.filter(({ state }) => state === 'done' || state === 'failed')
    .length;

/** Waits until so many more events have ended. */
async function loadOf(events: number): Promise<void> {
  const before = ended();
  await waitFor(`${events} more events to end`, () => ended() >= before + events, PATIENT);
}

/** Sends steadily until it is stopped. */
function startLoad(): { stop(): Promise<Sent[]> } {
  const events: Promise<Sent>[] = [];
  let unfinished = 0;
  const look = setInterval(() => {
    unfinished = events.length - ended();
  }, 250);
  const timer = setInterval(() => {
    if (unfinished >= MOST_UNFINISHED) return;
    const event = scan();
    event.catch(() => undefined); // reported by stop
    events.push(event);
    unfinished += 1;
  }, 1_000 / PER_SECOND);
  return {
    stop() {
      clearInterval(timer);
      clearInterval(look);
      return Promise.all(events);
    },
  };
}

describe(`under ${PER_SECOND} events a second, with three workers`, () => {
  let load: ReturnType<typeof startLoad>;
  beforeAll(async () => {
    send = senderWith(FIRST);
    load = startLoad();
    await waitFor('copies', () => copiesSaying('old') > 5, PATIENT);
  }, TEST_MS);

  test(
    'once a reload is done, nothing is answered by the configuration before',
    async () => {
      edit({ copy: { set: { statistics_1: 'new' } } });
      expect(await reloaded()).toEqual(ALL_LOADED);
      const old = copiesSaying('old');
      await waitFor('copies by the new one', () => copiesSaying('new') > PER_SECOND, PATIENT);
      expect(copiesSaying('old')).toBe(old);
    },
    TEST_MS,
  );

  test(
    'a signal to each process does the same, within a second',
    async () => {
      edit({ copy: { set: { statistics_1: 'newest' } } });
      const { receivers, workers, dashboards } = consortium.services;
      const at = performance.now();
      let [made, lastAt] = [copiesSaying('new'), at];
      for (const service of [...receivers, ...workers, ...dashboards]) service.signal('SIGHUP');
      await waitFor(
        'copies by the newest one',
        () => {
          const now = copiesSaying('new');
          if (now > made) [made, lastAt] = [now, performance.now()];
          return copiesSaying('newest') > PER_SECOND;
        },
        PATIENT,
      );
      const ms = Math.round(lastAt - at);
      process.stderr.write(`reload by a signal: the last copy of the configuration before after ${ms} ms\n`);
      expect(ms).toBeLessThan(10_000); // a second, on a machine that does nothing else
    },
    TEST_MS,
  );

  test(
    'a wrong file changes nothing, and each process names the field',
    async () => {
      edit({ copy: { set: { statistics_1: 'wrong' }, expiry: 'never' } });
      const printed = await reload();
      expect(printed.code).toBe(1);
      expect(printed.out).toContain('libraries[1].copy.expiry');
      const [worker] = consortium.services.workers;
      worker?.signal('SIGHUP');
      const actual = /"problems":\["libraries\[1\]\.copy\.expiry[^\n]*configuration refused/;
      await waitFor(
        'the worker to say so',
        async () => actual.test(await consortium.services.logs()),
        PATIENT,
      );
      await loadOf(PER_SECOND);
      expect(copiesSaying('wrong')).toBe(0);
      edit({ copy: { set: { statistics_1: 'newest' } } });
    },
    TEST_MS,
  );

  test(
    'a webhook secret is rotated: both count together, then the new one alone',
    async () => {
      const second = newSecret();
      put('webhook-2', second);
      const [before, after] = [{ file: fileOf('webhook') }, { file: fileOf('webhook-2') }];
      edit({ webhook_secrets: [before, after] });
      expect(await reloaded()).toEqual(ALL_LOADED);
      await loadOf(PER_SECOND / 2);
      secret = second;
      send = senderWith(second);
      await loadOf(PER_SECOND / 2);
      edit({ webhook_secrets: [after] });
      expect(await reloaded()).toEqual(ALL_LOADED);
      await expect(senderWith(FIRST)({ cardnumber: '21234999999999', item_barcode: null })).rejects.toThrow(
        'answered 401',
      );
      await loadOf(PER_SECOND / 2);
    },
    TEST_MS,
  );

  test(
    "a Koha's API key is rotated, and the old one is of no use to anybody from then on",
    async () => {
      const keyOf = (id: Ids) => ({ client_id: `second-${id}`, secret: randomUUID(), active: true });
      const keys = { midland: keyOf('midland'), riverside: keyOf('riverside') };
      for (const id of ['midland', 'riverside'] as const) {
        const koha = consortium.doubles[id];
        const key = keys[id];
        const { clientId, clientSecret } = koha.credentials;
        const old = { client_id: clientId, secret: clientSecret, active: true };
        koha.putPatron('PASSPORT-SERVICE', { api_keys: [old, key] });
        put(`${id}_id`, key.client_id);
        put(`${id}_secret`, key.secret);
      }
      expect(await reloaded()).toEqual(ALL_LOADED);
      for (const id of ['midland', 'riverside'] as const) {
        const koha = consortium.doubles[id];
        koha.putPatron('PASSPORT-SERVICE', { api_keys: [keys[id]] });
        koha.clearCalls();
      }
      await loadOf(PER_SECOND);
      const callers = (id: Ids) =>
        new Set(consortium.doubles[id].calls().flatMap(({ client_id: by }) => (by === null ? [] : [by])));
      expect([callers('midland'), callers('riverside')]).toEqual([
        new Set(['second-midland']),
        new Set(['second-riverside']),
      ]);
    },
    TEST_MS,
  );

  /** Pauses a library, and returns a scan that waits for the end of the pause; nothing is read or written on that side. */
  async function paused(library: Ids, side: 'home' | 'lending'): Promise<Sent> {
    const { midland, riverside } = consortium.doubles;
    const args = [library, '--until', '15m', '--reason', 'under test', '--as', side];
    const { code } = await runPassport(['library', 'pause', ...args], { env: consortium.services.env });
    expect(code).toBe(0);
    const at = performance.now();
    const calls = () =>
      side === 'home'
        ? midland.calls().filter(({ operation }) => operation === 'GET /patrons').length
        : riverside.calls().filter(({ operation }) => operation === 'POST /patrons').length;
    let [made, lastAt] = [calls(), at];
    await waitFor(
      'all processes to see the pause',
      () => {
        const now = calls();
        if (now > made) [made, lastAt] = [now, performance.now()];
        return performance.now() - Math.max(lastAt, at) > 1_500;
      },
      PATIENT,
    );
    process.stderr.write(`pause as ${side}: the last call after ${Math.round(lastAt - at)} ms\n`);
    expect(lastAt - at).toBeLessThan(10_000); // a second, on a machine that does nothing else
    const probe = await scan();
    probes.push(probe);
    const state = await waitFor(
      'the desk to hear of the pause',
      async () => {
        const seen = await atRiverside().state(probe.eventId);
        return seen?.waiting_for?.reason === 'PAUSED' ? seen : null;
      },
      PATIENT,
    );
    expect(state.waiting_for?.library).toBe(library);
    expect(state.message).toMatch(/^\w+ library is paused until 20\d\d-.+ UTC\./);
    expect(calls()).toBe(made);
    return probe;
  }
  const probes: Sent[] = [];

  test.each([
    ['lending', 'riverside'],
    ['home', 'midland'],
  ] as const)(
    'a pause as %s library makes its scans wait, and they go on when it is resumed',
    async (side, library) => {
      const { eventId } = await paused(library, side);
      const { code } = await runPassport(['library', 'resume', library], { env: consortium.services.env });
      expect(code).toBe(0);
      const end = await atRiverside().follow(eventId, PATIENT);
      expect(end).toMatchObject({ state: 'done', outcome: 'COPIED' });
    },
    TEST_MS,
  );

  test(
    'a planned window of the file makes scans wait, and they go on at its end',
    async () => {
      const at = (afterMs: number): string => new Date(Date.now() + afterMs).toISOString();
      const window = { from: at(-60_000), until: at(60_000), as: 'lending', reason: 'under test' };
      edit({ windows: [window] });
      expect(await reloaded()).toEqual(ALL_LOADED);
      const probe = await scan();
      probes.push(probe);
      const waits = async () => (await atRiverside().state(probe.eventId))?.waiting_for;
      const waiting = await waitFor('the desk to hear of the window', waits, PATIENT);
      expect(waiting).toMatchObject({ library: 'riverside', reason: 'PAUSED' });
      // The worker adds what is left of the window to its own present time, and may be interrupted in between.
      expect(Math.abs(Date.parse(waiting.next_try_at ?? '') - Date.parse(window.until))).toBeLessThan(1_000);
      edit({ windows: [{ ...window, until: at(1_000) }] });
      expect(await reloaded()).toEqual(ALL_LOADED);
      const end = await atRiverside().follow(probe.eventId, PATIENT);
      expect(end).toMatchObject({ state: 'done', outcome: 'COPIED' });
    },
    TEST_MS,
  );

  test(
    'no event of all this is lost, failed, or done twice',
    async () => {
      const events = [...(await load.stop()), ...probes];
      const { riverside } = consortium.doubles;
      await untilAllReported(riverside, events, PATIENT.timeoutMs);
      process.stderr.write(`reload, rotation and pauses: ${events.length} events\n`);
      expect(events.flatMap(({ refusals }) => refusals)).toEqual([]);
      expect(brokenPromises(riverside, events, { isCheckedOut: true })).toEqual([]);
    },
    TEST_MS,
  );

  test('the figures of a worker count on through all of it', async () => {
    const [worker] = consortium.services.workers;
    const text = (await worker?.metrics()) ?? '';
    const copied = /passport_jobs_total\{library="riverside",outcome="COPIED"\} (\d+)/.exec(text);
    expect(Number(copied?.[1])).toBeGreaterThan(PER_SECOND);
  });
});

test(
  'a password that the dashboard alone reads, and would refuse, is refused before any process is asked',
  async () => {
    put('rita', 'short');
    const configFile = consortium.services.env['PASSPORT_CONFIG'] ?? '';
    const before = readFileSync(configFile, 'utf8');
    const rita = { name: 'rita', role: 'viewer', libraries: 'all', password: { file: fileOf('rita') } };
    writeFileSync(configFile, JSON.stringify({ ...JSON.parse(before), users: [rita] }));
    const { code, out } = await reload();
    expect([code, out]).toEqual([1, expect.stringContaining('users[0].password')]);
    put('rita', 'long-enough-for-rita');
    expect(await reloaded()).toEqual(ALL_LOADED);
    const refused = (await consortium.services.logs())
      .split('\n')
      .filter((line) => line.includes('users[0]'));
    expect(refused).toEqual([]);
    writeFileSync(configFile, before);
    expect(await reloaded()).toEqual(ALL_LOADED);
  },
  TEST_MS,
);

test(
  'a reload says which processes have secrets of the environment, which it does not renew',
  async () => {
    const { out } = await runPassport(['config', 'reload'], { env: consortium.services.env });
    expect(out).toMatch(/secrets? of (?:the )?\w+ .* no reload renews/);
  },
  TEST_MS,
);

test(
  'a reload hands nobody who guesses passwords of the dashboard new tries',
  async () => {
    const [dashboard] = consortium.services.dashboards;
    const guess = async () =>
      (
        await fetch(dashboard?.url ?? '', {
          headers: { authorization: `Basic ${btoa('nobody:a-guess-of-a-stranger')}` },
        })
      ).status;
    for (let tries = 0; tries < 5; tries += 1) expect(await guess()).toBe(401);
    expect(await guess()).toBe(429);
    expect(await reloaded()).toEqual(ALL_LOADED);
    expect(await guess()).toBe(429);
    dashboard?.signal('SIGHUP');
    const loaded = /"by":"signal","fixed_secrets":\d+,"msg":"configuration loaded"/;
    await waitFor('the signal', async () => loaded.test(await consortium.services.logs()), PATIENT);
    expect(await guess()).toBe(429);
  },
  TEST_MS,
);

test(
  'a library that is revoked is refused from the reload on, and its scans end at no worker',
  async () => {
    edit({ enabled: false });
    expect(await reloaded()).toEqual(ALL_LOADED);
    await expect(scan()).rejects.toThrow('answered 401');
  },
  TEST_MS,
);
