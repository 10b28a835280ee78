import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { startKohaDouble } from '@passport/koha-double';
import { backlogKey, CLOCK_KEY, jobIdOf, keptKey } from '@passport/queue/keys';
import { type ScanJobs, addScans, openScanQueue } from '@passport/queue/scans';
import {
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  readRedisTime,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, buildJob, startRedis } from '@passport/testkit';
import { cleanUp } from '../src/commands/rehearse/clean-up.ts';
import type { JournalEntry } from '../src/commands/rehearse/journal.ts';
import { buildKiosk, type KioskParts } from '../src/commands/rehearse/kiosk.ts';

const NOON = Date.parse('2026-11-25T12:00:00Z');
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
const SIP = { user: 'kiosk', password: 'only in the test', institution: 'MAIN' };

let server: StartedRedis;
let redis: Redis;
let queue: ScanJobs;
beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
  queue = openScanQueue(redis);
  await queue.waitUntilReady();
});
afterAll(async () => {
  await queue.close();
  await closeRedis(redis);
  await server.stop();
});
beforeEach(() => redis.flushall());

/** A scan of riverside that waits for a worker, or is done. */
async function putScan(change: Partial<JobData>, isDone = false): Promise<void> {
  const job = buildJob({ interface: 'sip', ...change });
  const jobId = jobIdOf(job.library, job.event_id);
  const progress = isDone ? { ...job.progress, state: 'done' as const } : job.progress;
  await addScans(queue, [{ job: { ...job, progress }, priority: 1 }]);
  const list = isDone ? keptKey('finished', job.library) : backlogKey(job.library);
  await redis.zadd(list, job.received_ms, job.event_id);
  if (isDone) await redis.hset(queue.toKey(jobId), 'finishedOn', job.received_ms);
}

const openNow = () => ({
  redis,
  queue,
  nameOf: (id: string) => id,
  now: () => readRedisTime(redis, CLOCK_KEY),
});

describe('what a killed rehearsal has left under way', () => {
  test.each<[string, readonly (readonly [sinceMs: number, untilMs: number])[], readonly string[]]>([
    [
      'ends with the self-check',
      [
        [NOON, NOON + 5 * MINUTE_MS],
        [NOON, NOON + MINUTE_MS],
      ],
      ['evt_during'],
    ],
    [
      'ends some minutes after its start, where no end was noted',
      [[NOON, NOON + 5 * MINUTE_MS]],
      ['evt_during', 'evt_after'],
    ],
  ])('%s: scans of after it are those of visitors', async (_what, spans, cancelled) => {
    await putScan({ event_id: 'evt_before', received_ms: NOON - SECOND_MS });
    await putScan({ event_id: 'evt_during', received_ms: NOON + SECOND_MS });
    await putScan({ event_id: 'evt_staff', received_ms: NOON + SECOND_MS, interface: 'staff' });
    await putScan({ event_id: 'evt_after', received_ms: NOON + 2 * MINUTE_MS });
    await putScan({ event_id: 'evt_days_later', received_ms: NOON + 3 * 1_440 * MINUTE_MS });
    const entries = spans.map(([sinceMs, untilMs]): JournalEntry => ({
      kind: 'kiosk',
      library: 'riverside',
      sinceMs,
      untilMs,
    }));
    const ended: string[] = [];
    const receiver = {
      cancel: (id: string) => Promise.resolve(ended.push(id)),
      read: () => Promise.resolve({ state: 'done' }),
    };
    const never = () => Promise.reject(new Error('it had to wait'));
    const cleaning = {
      sites: [],
      open: openNow(),
      receiverOf: () => receiver,
      deps: { newId: () => '' },
      sleep: never,
    };
    await cleanUp(entries, cleaning as unknown as Parameters<typeof cleanUp>[1]);
    expect(ended.toSorted()).toEqual(cancelled.toSorted());
  });
});

/** A self-check of a rehearsal, and what it notes. */
function kioskAt(sip: KioskParts['sip'] = null, forMs = 20 * SECOND_MS) {
  const noted: JournalEntry[] = [];
  const parts = {
    open: openNow(),
    lending: { library: { id: 'riverside' } },
    journal: { note: (entry: JournalEntry) => Promise.resolve(noted.push(entry)) },
    sip,
    onAnswer: () => undefined,
    forMs,
    deps: { now: () => Date.now() },
  };
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    if (!(await isSo())) throw new Error(what);
  };
  return { ...buildKiosk(parts as unknown as KioskParts, { times: [], until }), noted };
}

test('a scan at the self-check is known by being new: the receiver dates it back by what Redis took to answer', async () => {
  const { scanAtKiosk } = kioskAt();
  const now = await openNow().now();
  await putScan({ event_id: 'evt_earlier', received_ms: Math.floor(now) - 20 }, true);
  const { answer, scanned } = await scanAtKiosk(async () => {
    await putScan({ event_id: 'evt_new', received_ms: Math.floor(now) - 10 }, true);
    return 'unknown';
  });
  expect({ answer, event: scanned.state?.event_id }).toEqual({ answer: 'unknown', event: 'evt_new' });
});

test('a self-check is noted with the latest end that it can have, and once more with the one that it had', async () => {
  const koha = await startKohaDouble({ library: 'riverside', sip: SIP });
  try {
    const { atKiosk, noted } = kioskAt({ host: '127.0.0.1', port: koha.sipPort ?? 0, ...SIP });
    const startMs = await openNow().now();
    const spans = (): readonly (readonly [number, number])[] =>
      noted.flatMap((entry) => (entry.kind === 'kiosk' ? [[entry.sinceMs, entry.untilMs] as const] : []));
    await atKiosk(async () => expect(spans()).toHaveLength(1));
    const [[sinceMs, latestMs] = [0, 0], [sameMs, untilMs] = [0, 0]] = spans();
    expect(sameMs).toBe(sinceMs);
    expect(sinceMs).toBeLessThanOrEqual(startMs);
    expect(latestMs - startMs).toBeLessThan(3 * MINUTE_MS);
    expect(untilMs).toBeGreaterThanOrEqual(Math.floor(startMs));
    expect(untilMs).toBeLessThan(latestMs);

    // What a self-check that failed has scanned may still be reported.
    const failed = kioskAt({ host: '127.0.0.1', port: koha.sipPort ?? 0, ...SIP });
    await expect(failed.atKiosk(() => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
    expect(failed.noted).toHaveLength(1);
  } finally {
    await koha.close();
  }
});
