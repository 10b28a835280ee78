import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AdmissionRequest, buildAdmission } from '@passport/queue/admission';
import { addScans, openScanQueue } from '@passport/queue/scans';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard } from '@passport/testkit';
import { jobData } from './builders.ts';
import { ENCRYPTION, openWorkers } from './worker-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

/** Compose's Redis of 512 MB and what one library may keep there, in miniature: it levels off between 5 and 7.5 MB. */
const MAX_MEMORY_MB = 9;
const FEW = { backlog: 300, kept_finished: 300, kept_failed: 100, remembered: 1_000 };
/** Without bounds they take 2.2 KB each, and more than there is. */
const FLOOD = 5_000;
/** Slow enough for the sweep, which comes each five seconds: what came in between is beyond the bounds. */
const RATE = 300;
const BATCH = 32;
const AT_HOME_EACH = 8;
/** Some of them right before a sweep. */
const SHARE_EACH = 20;
/** deploy/prometheus/alerts.yml, PassportLibraryFillsRedis. */
const ALERTED_SHARE = 0.1;

test('a library that sends what is no card, at the rate it may, leaves space for the events of others and is named', async () => {
  const bench = await openWorkers({
    redis: { args: ['--maxmemory', `${MAX_MEMORY_MB}mb`, '--maxmemory-policy', 'noeviction'] },
    // Nobody is queried: each event ends as NOT_A_CARD.
    keys: { agreements: [] },
    entry: { limits: FEW, retry: { tell_koha: false } },
  });
  own({ stop: () => bench.close() });
  const worker = await bench.startWorker();
  const log = createLogger({ name: 'test', level: 'fatal' });
  const redis = createRedis(bench.redis.url, { role: 'producer', log, name: 'receiver' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 5_000);
  const queue = openScanQueue(redis);
  own({ stop: () => queue.close() });
  const admit = buildAdmission(redis);
  const limits = {
    eventsPerSecond: RATE,
    burst: RATE,
    backlog: FEW.backlog,
    remembered: FEW.remembered,
  };
  const requestOf = (library: string, eventId: string): AdmissionRequest => ({
    mode: 'take',
    library,
    eventId,
    bodyHashes: [`key1:${'0'.repeat(43)}`],
    scanHash: `key1:${eventId}`,
    limits,
  });
  /** As the receiver does; how many were taken. Rejects where it would answer 503. */
  const send = async (library: string, ids: readonly string[]): Promise<number> => {
    const answers = await admit(ids.map((id) => requestOf(library, id)));
    const taken = answers.flatMap((answer) => ('add' in answer && answer.add ? [answer] : []));
    const job = { library, received_ms: Date.now(), age_at_delivery_ms: 0, encrypted_item: null };
    const adds = taken.map(({ eventId, priority }) => ({
      job: jobData({ ...job, event_id: eventId }, ENCRYPTION),
      priority,
    }));
    if (adds.length > 0) await addScans(queue, adds);
    return taken.length;
  };

  let others = 0;
  let largestShare = 0;
  for (let sent = 0, round = 0; sent < FLOOD; round += 1) {
    const taken = await send(
      'riverside',
      Array.from({ length: BATCH }, () => `evt_${randomUUID()}`),
    );
    sent += taken;
    if (round % AT_HOME_EACH === 0) others += await send('midland', [`evt_${randomUUID()}`]);
    if (round % SHARE_EACH === 0) {
      const share = figureIn(await worker.metrics(), 'passport_library_redis_share', 'library="riverside"');
      largestShare = Math.max(largestShare, share);
    }
    if (taken < BATCH) await pause(20);
  }

  // None was rejected, and none of those was answered as if Redis were full.
  expect(others).toBeGreaterThan(FLOOD / BATCH / AT_HOME_EACH - 1);

  const metrics = await worker.metrics();
  const figure = (name: string, labels: string): number => figureIn(metrics, name, labels);
  // It is largest right before a sweep.
  expect(largestShare).toBeGreaterThan(ALERTED_SHARE);
  expect(figure('passport_library_redis_share', 'library="midland"')).toBeLessThan(ALERTED_SHARE);
  const kept = 'library="riverside",state="finished"';
  expect(figure('passport_library_kept_limit', kept)).toBe(FEW.kept_finished);
  expect(figure('passport_library_kept_limit', 'library="riverside",state="failed"')).toBe(FEW.kept_failed);
  expect(figure('passport_kept_dropped_total', kept)).toBeGreaterThan(0);
}, 120_000);

/** The value of one series in an exposition. */
function figureIn(metrics: string, name: string, labels: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name}{${labels}} `));
  return Number(line?.split(' ')[1]);
}
