import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type LibraryStatus,
  type Outcome,
  libraryStatusSchema,
  nextProgress,
  parseJob,
  parseWebhookSecret,
  signDelivery,
} from '@passport/contract';
import { keepFindings, noteFindings } from '@passport/queue/copies';
import { openLedger } from '@passport/queue/ledger';
import { pauseLibraries, readProcesses, registerProcess } from '@passport/queue/processes';
import { createLogger } from '@passport/runtime';
import { buildScanEvent, signedRequest, startRedis, waitFor } from '@passport/testkit';
import {
  type LibraryStatusDeps,
  type ReadLibraryStatus,
  buildReadLibraryStatus,
} from '../src/follow-ups/library-status.ts';
import { OTHER_SECRET, SECRET, openReceiver, read, useReceiver } from './receiver-fixture.ts';
import { STATUS_CONSORTIUM } from './status-libraries.ts';

const CARD = '21234000000017';
const HOUR_MS = 3_600_000;
const receiver = useReceiver({ consortium: STATUS_CONSORTIUM });
const own: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  // An answer is good for two seconds.
  receiver.clock.aheadMs += 3_000;
  for (const each of own.splice(0)) await each.close();
});

interface Sent {
  readonly id?: string;
  readonly library?: string;
  readonly secret?: string;
  readonly body?: string;
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const requestOf = (sinceMs = Date.now() - 12 * HOUR_MS): string =>
  JSON.stringify({
    type: 'library.status_requested',
    timestamp: new Date().toISOString(),
    data: { since: new Date(sinceMs).toISOString() },
  });

function request(change: Sent = {}, url = receiver.url) {
  const { id = 'status_1', library = 'riverside', secret = SECRET, body = requestOf() } = change;
  const { method, headers } = signedRequest({
    secret,
    id,
    body,
    ...(change.timestamp === undefined ? {} : { timestamp: change.timestamp }),
  });
  const sent = { method, headers: { ...headers, ...change.headers }, body };
  return read(fetch(`${url}/webhooks/${library}/service/status`, sent));
}

async function statusOf(change: Sent = {}): Promise<LibraryStatus> {
  const { status, body } = await request(change);
  expect(status).toBe(200);
  return libraryStatusSchema.parse(body);
}

/** A scan that was reported and has ended, as a worker leaves it. */
async function ended(library: string, id: string, outcome: Outcome, endedMs = Date.now()): Promise<void> {
  const secret = library === 'lakeside' ? OTHER_SECRET : SECRET;
  const body = buildScanEvent({ cardnumber: CARD });
  await fetch(`${receiver.url}/webhooks/${library}`, signedRequest({ secret, id, body }));
  const job = await receiver.queue.getJob(`${library}.${id}`);
  const parsed = parseJob(job?.data);
  if (parsed.kind !== 'job') throw new Error('the event was not queued');
  const data = parsed.job;
  const problem = { library, what: 'category', name: 'PT' } as const;
  const change = { state: 'failed', outcome, problem, patron_id: 4711 } as const;
  await job?.updateData({
    ...data,
    progress: nextProgress(data.progress, change, new Date(endedMs).toISOString()),
  });
  const iso = new Date(endedMs).toISOString();
  await openLedger(receiver.redis).settle(library, id, outcome, iso, { used: 'none' });
}

/** How often the lists of jobs were read in Redis since it was started. */
async function commands(): Promise<number> {
  const info = String(await receiver.server.call('INFO', 'commandstats'));
  return Number(/cmdstat_lrange:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

describe('the status of a library', () => {
  test('holds its outcomes since then, its failures, its pauses and what its Koha has to have', async () => {
    await ended('riverside', 'evt_1', 'MISCONFIGURED');
    await ended('riverside', 'evt_2', 'HOME_UNREACHABLE', Date.now() - 20 * HOUR_MS);

    expect(await statusOf()).toMatchObject({
      library: { id: 'riverside', name: 'The library riverside' },
      version: '1.2.3',
      workers: { alive: false, versions: [] },
      pauses: [{ side: 'home', reason: 'nightly backup' }],
      planned: [{ side: 'lending', reason: 'update' }],
      events: { queued: 0, working: 0, waiting: 0, failed: 2 },
      outcomes: { counts: [{ outcome: 'MISCONFIGURED', count: 1 }] },
      failures: [
        {
          event_id: 'evt_1',
          outcome: 'MISCONFIGURED',
          problem: { library: 'riverside', what: 'category', name: 'PT' },
          libraries: [{ id: 'riverside', name: 'The library riverside' }],
        },
        { event_id: 'evt_2', outcome: 'HOME_UNREACHABLE' },
      ],
      needs: {
        mode: 'copy',
        categories: ['PT'],
        branch: null,
        passport_attribute: 'PASSPORTED',
        home_key_attribute: 'PASSPORTED_ID',
        seen_copies: true,
        cards: [
          {
            id: 'midland',
            name: 'The library midland',
            patterns: [String.raw`^21234\d{9}$`],
            examples: [
              '21234000000000',
              '21234999999999',
              expect.stringMatching(/^21234\d{9}$/) as unknown as string,
            ],
          },
          { id: 'lakeside', name: 'The library lakeside', patterns: [], examples: [] },
        ],
      },
    });
  });

  test('holds nothing of another library but its name and what its cards look like, nor of a patron', async () => {
    await ended('lakeside', 'evt_1', 'MISCONFIGURED');
    await ended('lakeside', 'evt_2', 'LENDING_REFUSED');
    await ended('riverside', 'evt_3', 'TOO_LATE');
    await pauseLibraries(receiver.redis, [
      {
        library: 'lakeside',
        side: 'lending',
        until_ms: Date.now() + HOUR_MS,
        reason: 'theirs',
        by: 'olga',
        at_ms: 1,
      },
      {
        library: 'riverside',
        side: 'home',
        until_ms: Date.now() + 3 * HOUR_MS,
        reason: 'ours',
        by: 'olga',
        at_ms: 1,
      },
    ]);

    const { body } = await request();
    const { needs, ...others } = libraryStatusSchema.parse(body);
    const { cards, ...ofNeeds } = needs;
    const text = JSON.stringify({ ...others, ofNeeds });
    expect(cards?.map(({ id }) => id)).toEqual(['midland', 'lakeside']);
    expect(body).toMatchObject({
      outcomes: { counts: [{ outcome: 'TOO_LATE', count: 1 }] },
      events: { failed: 1 },
      failures: [{ event_id: 'evt_3' }],
      pauses: [{ side: 'home', reason: 'ours' }],
    });
    for (const foreign of [
      'lakeside',
      'midland',
      'theirs',
      'olga',
      'evt_1',
      'VISITOR',
      CARD,
      '4711',
      'sealed',
    ]) {
      expect(text).not.toContain(foreign);
    }
  });

  test('leaves out what cards look like where that is more than a plugin reads', async () => {
    const cards = Array.from({ length: 200 }, (_, n) => new RegExp(`^${n}${'[0-9A-F]'.repeat(15)}$`, 'u'));
    const libraries = STATUS_CONSORTIUM.libraries.map((each) =>
      each.id === 'midland' ? { ...each, cards } : each,
    );
    const many = await openReceiver({
      redisUrl: receiver.server.url,
      consortium: { ...STATUS_CONSORTIUM, libraries },
    });
    own.push(many);

    const { status, body } = await request({}, many.url);

    expect([status, libraryStatusSchema.parse(body).needs.cards]).toEqual([200, null]);
  });

  test('under an id that another library’s event has is that of whoever signed it', async () => {
    await ended('lakeside', 'evt_1', 'MISCONFIGURED');
    expect((await statusOf({ id: 'evt_1' })).failures).toEqual([]);
    const theirs = await statusOf({ id: 'evt_1', library: 'lakeside', secret: OTHER_SECRET });
    expect(theirs.failures).toHaveLength(1);
  });

  test('lists the copies to look at by number: the latest, its own, and none that is kept as it is', async () => {
    const open = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => ({
        patronId: from + index,
        homeKey: `midland:${from + index}`,
        open: ['HOME_GONE'],
      }));
    await noteFindings(receiver.redis, 'riverside', open(1, 30), 1_000);
    await noteFindings(receiver.redis, 'riverside', open(31, 31), 2_000);
    await noteFindings(receiver.redis, 'lakeside', open(900, 901), 2_000);
    await keepFindings(receiver.redis, 'riverside', [1]);
    const { findings } = await statusOf();
    expect(findings).toMatchObject({ open: 30, new: 30 });
    expect(findings.listed).toHaveLength(25);
    expect(findings.listed.slice(0, 2)).toEqual([
      { patron_id: 31, finding: 'HOME_GONE', since: '1970-01-01T00:00:02.000Z', new: true },
      { patron_id: 2, finding: 'HOME_GONE', since: '1970-01-01T00:00:01.000Z', new: true },
    ]);
  });

  test('lists ten failures at most, the newest first, and counts all', async () => {
    for (let number = 1; number <= 12; number += 1) {
      await ended('riverside', `evt_${number}`, 'MISCONFIGURED', Date.now() - 60_000 + number);
    }
    const { failures, events } = await statusOf();
    expect(failures.map(({ event_id: id }) => id)).toEqual(
      [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((number) => `evt_${number}`),
    );
    expect(events.failed).toBe(12);
  });

  test('counts outcomes of the last 25 hours at most, however far back it is requested', async () => {
    await ended('riverside', 'evt_1', 'MISCONFIGURED', Date.now() - 24 * HOUR_MS);
    const { outcomes } = await statusOf({ body: requestOf(0) });
    expect(outcomes.counts).toEqual([{ outcome: 'MISCONFIGURED', count: 1 }]);
    expect(Date.now() - Date.parse(outcomes.since)).toBeLessThanOrEqual(26 * HOUR_MS);
    expect((await statusOf({ body: requestOf(Date.now() + 30 * HOUR_MS) })).outcomes.counts).toEqual([]);
  });

  test('names the versions of live workers', async () => {
    const log = createLogger({ name: 'worker', level: 'silent' });
    for (const [id, kind, version] of [
      ['w1', 'worker', '1.2.3'],
      ['w2', 'worker', '1.2.2'],
      ['r1', 'receiver', '9.9.9'],
    ] as const) {
      own.push(
        registerProcess({
          redis: receiver.redis,
          id,
          identity: { kind, version, host: 'secret-host' },
          hash: 'abc',
          reload: async () => ({ kind: 'loaded', hash: 'abc' }),
          now: () => Date.now(),
          log,
        }),
      );
    }
    await waitFor('the processes', async () => (await readProcesses(receiver.redis)).length === 3);
    const { body } = await request();
    expect(body).toMatchObject({ workers: { versions: ['1.2.2', '1.2.3'] } });
    expect(JSON.stringify(body)).not.toMatch(/secret-host|9\.9\.9/);
  });

  test('is read once in two seconds, however often it is requested', async () => {
    await statusOf({ id: 'status_a' });
    await ended('riverside', 'evt_1', 'TOO_LATE');
    expect((await statusOf({ id: 'status_b' })).failures).toEqual([]);
  });

  test('is read once for all who request it at the same time', async () => {
    const before = await commands();
    await Promise.all(Array.from({ length: 30 }, (_, place) => statusOf({ id: `status_${place}` })));
    // Each of them takes from the rate; the active jobs are only looked at to answer.
    expect((await commands()) - before).toBeLessThan(10);
  });

  test('is read once in two seconds for all hours that are requested, each with its own outcomes', async () => {
    await ended('riverside', 'evt_1', 'TOO_LATE', Date.now() - 5 * HOUR_MS);
    const since = async (hours: number): Promise<LibraryStatus> =>
      statusOf({ id: `status_${hours}`, body: requestOf(Date.now() - hours * HOUR_MS) });
    expect((await since(12)).outcomes.counts).toEqual([{ outcome: 'TOO_LATE', count: 1 }]);
    await ended('riverside', 'evt_2', 'MISCONFIGURED');
    const { outcomes, failures } = await since(2);
    expect(outcomes.counts).toEqual([]);
    expect(failures).toMatchObject([{ event_id: 'evt_1' }]);
    expect((await since(8)).outcomes.counts).toEqual([{ outcome: 'TOO_LATE', count: 1 }]);
  });

  const readerOf = (
    deps: Pick<LibraryStatusDeps, 'hasWorker' | 'monotonicNow' | 'deadlineMs'>,
  ): ReadLibraryStatus =>
    buildReadLibraryStatus({
      ...deps,
      redis: receiver.redis,
      queue: receiver.queue,
      consortium: STATUS_CONSORTIUM,
      version: '1.2.3',
      now: () => Date.now(),
      log: createLogger({ name: 'receiver', level: 'silent' }),
    });

  test('is not read again while a reading that took too long is not over, nor within two seconds', async () => {
    let now = 0;
    const begun: (() => void)[] = [];
    const hasWorker = (): Promise<boolean> => new Promise((resolve) => begun.push(() => resolve(true)));
    const readStatus = readerOf({ hasWorker, monotonicNow: () => now, deadlineMs: 20 });
    for (const hours of [1, 2, 3]) {
      expect(await readStatus('riverside', Date.now() - hours * HOUR_MS)).toBe('unavailable');
      now += 10_000;
    }
    expect(begun).toHaveLength(1);
    begun[0]?.();
    await waitFor('the next reading', async () => {
      expect(await readStatus('riverside', Date.now())).toBe('unavailable');
      return begun.length === 2;
    });
    begun[1]?.();
    now += 1_999;
    await readStatus('riverside', Date.now());
    expect(begun).toHaveLength(2);
  });

  test('is read again a second after a reading that failed, which is when its answer says to come back', async () => {
    let now = 0;
    let begun = 0;
    const hasWorker = (): Promise<boolean> => {
      begun += 1;
      return begun === 1 ? Promise.reject(new Error('Connection is closed.')) : Promise.resolve(true);
    };
    const readStatus = readerOf({ hasWorker, monotonicNow: () => now, deadlineMs: 5_000 });
    expect(await readStatus('riverside', Date.now())).toBe('unavailable');
    now = 999;
    expect(await readStatus('riverside', Date.now())).toBe('unavailable');
    expect(begun).toBe(1);
    now = 1_000;
    expect(await readStatus('riverside', Date.now())).toMatchObject({ workers: { alive: true } });
  });

  test('takes from the rate of its library', async () => {
    const library = receiver.libraries.get('riverside');
    if (library === undefined) throw new Error('riverside is there');
    receiver.libraries.set('riverside', {
      ...library,
      limits: { eventsPerSecond: 0.01, burst: 1, backlog: 10, remembered: 100_000 },
    });
    await request();
    const second = await request();
    receiver.libraries.set('riverside', library);

    expect(second).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  test('with Redis away is 503 with retry-after', async () => {
    const server = await startRedis();
    const cutOff = await openReceiver({ redisUrl: server.url, consortium: STATUS_CONSORTIUM });
    try {
      await server.kill();
      const away = await request({}, cutOff.url);
      expect(away).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(away.headers.get('retry-after')).toBe('1');
    } finally {
      await cutOff.close();
      await server.stop();
    }
  });

  test('is counted, and logged without an event', async () => {
    await statusOf();
    expect(receiver.counted.at(-1)).toBe('riverside status');
    expect(receiver.logged()).toContain('"result":"status"');
  });
});

describe('nothing is answered', () => {
  const emptySignature = (): Record<string, string> => {
    const timestamp = Math.floor(Date.now() / 1000);
    const secrets = [parseWebhookSecret(SECRET)];
    return signDelivery({ secrets, id: 'status_1', timestamp, body: Buffer.alloc(0) });
  };
  const cancel = requestOf().replace('library.status_requested', 'scan.cancelled');
  const faults: readonly (readonly [name: string, status: number, code: string, sent: () => Sent])[] = [
    ['with another library’s secret', 401, 'unauthorized', () => ({ secret: OTHER_SECRET })],
    ['with our secret at another library', 401, 'unauthorized', () => ({ library: 'lakeside' })],
    ['with the signature of a look at a state', 401, 'unauthorized', () => ({ headers: emptySignature() })],
    [
      'with an old timestamp',
      401,
      'unauthorized',
      () => ({ timestamp: Math.floor(Date.now() / 1000) - 400 }),
    ],
    ['at an unknown library', 401, 'unauthorized', () => ({ library: 'nowhere' })],
    ['without a header', 400, 'header_malformed', () => ({ headers: { 'webhook-id': '' } })],
    ['to what is no JSON', 400, 'not_json', () => ({ body: '{' })],
    [
      'to another content type',
      415,
      'unsupported_media_type',
      () => ({ headers: { 'content-type': 'text/plain' } }),
    ],
    ['to a body that is too large', 413, 'too_large', () => ({ body: requestOf() + ' '.repeat(17_000) })],
    ['to a cancel, sent there', 422, 'invalid_field', () => ({ body: cancel })],
    ['to a scan, sent there', 422, 'invalid_field', () => ({ body: JSON.stringify(buildScanEvent()) })],
    ['without a since', 422, 'invalid_field', () => ({ body: requestOf().replace('since', 'before') })],
    ['to no object', 422, 'invalid_field', () => ({ body: '[]' })],
  ];

  test.each(faults)('%s: %i %s', async (_name, status, code, sent) => {
    const answer = await request(sent());
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain('outcomes');
  });

  test('to a request that is sent as an event: it is ignored', async () => {
    const answer = await read(
      fetch(
        `${receiver.url}/webhooks/riverside`,
        signedRequest({ secret: SECRET, id: 'evt_9', body: requestOf() }),
      ),
    );
    expect(answer).toMatchObject({ status: 202, body: { ignored: true } });
  });

  test('and the field that does not fit is named, not its value', async () => {
    const { body } = await request({ body: JSON.stringify({ type: 'a secret', timestamp: 'x' }) });
    expect(body).toMatchObject({ field: 'type', detail: 'type must be library.status_requested' });
  });
});
