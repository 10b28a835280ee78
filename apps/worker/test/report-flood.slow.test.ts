import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { countDelayedReports, noteDelayedReport } from '@passport/queue/delays';
import { type ReportJobs, openReportQueue, queueReport } from '@passport/queue/reports';
import { type ScanJobs, addScans, openScanQueue } from '@passport/queue/scans';
import {
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  startTracing,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, startRedis, waitFor } from '@passport/testkit';
import type { Libraries } from '../src/koha/libraries.ts';
import { LibraryClosed } from '../src/koha/koha-failure.ts';
import { startReportWorker } from '../src/job/report-worker.ts';
import { consortiumWith, jobData } from './builders.ts';

const log = createLogger({ name: 'test', level: 'fatal' });
/** A library at its allowed rate brings so many in a minute, for as long as `give_up_after` says. */
const FLOOD = 3_000;

let server: StartedRedis;
let redis: Redis;
let connection: Redis;
let scans: ScanJobs;
let reports: ReportJobs;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  connection = createRedis(server.url, { role: 'worker', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
  scans = openScanQueue(redis);
  reports = openReportQueue(redis);
});
afterAll(async () => {
  await reports.close();
  await scans.close();
  await closeRedis(redis);
  await closeRedis(connection);
  await server.stop();
});

/** Has the library make a report that its Koha did not take, as the worker does. */
async function report(library: string, seq: number): Promise<void> {
  const queued = { library, event_id: 'evt_1', since_ms: Date.now() };
  await queueReport(reports, queued, seq, await countDelayedReports(redis, library));
}

/** Alder takes no reports, birch does; `tries` hears each try. */
function librariesOf(tries: string[]): Libraries {
  const seen = (library: string) => ({ isOpen: library === 'alder', isDue: false, sinceSuccessMs: null });
  return {
    call: () => Promise.reject(new Error('no call is made')),
    callForSweep: () => Promise.reject(new Error('no call is made')),
    capabilities: () => Promise.reject(new Error('no call is made')),
    prepare: () => undefined,
    callBeside: (library) => {
      tries.push(library);
      return library === 'alder'
        ? Promise.reject(new LibraryClosed(library))
        : Promise.resolve(undefined as never);
    },
    circuit: seen,
    reportCircuit: seen,
  };
}

test('reports that one library makes and does not take delay nobody else’s, and are tried seldom', async () => {
  for (const library of ['alder', 'birch']) {
    await addScans(scans, [{ job: jobData({ library, event_id: 'evt_1' }), priority: 1 }]);
  }
  for (let seq = 1; seq <= FLOOD; seq += 1) {
    await report('alder', seq);
    await noteDelayedReport(redis, 'alder', `alder.evt_1-report-${seq}`);
  }
  await report('birch', 1);
  const dueAt = Date.now() + 1_000;
  await waitFor('all of them to be due', () => Date.now() > dueAt);
  const tries: string[] = [];
  const reportWorker = startReportWorker({
    connection,
    redis,
    libraries: librariesOf(tries),
    consortium: consortiumWith(['alder', 'birch']),
    nameOf: (id) => id,
    now: () => Date.now(),
    tracing: await startTracing({ endpoint: null, process: 'worker', now: () => Date.now(), log }),
    log,
  });
  try {
    await waitFor('birch to be notified', () => tries.includes('birch'), { timeoutMs: 30_000 });
    const waiting = async (): Promise<number> => FLOOD - (await reports.getDelayedCount());
    await waitFor('the flood to wait again', async () => (await waiting()) === 0, { timeoutMs: 45_000 });

    expect(tries.indexOf('birch')).toBeLessThan(FLOOD / 10);
    const [soonest] = await reports.getDelayed(0, 0);
    expect(soonest?.delay).toBeGreaterThanOrEqual(FLOOD * 10);
  } finally {
    await reportWorker.close();
  }
}, 90_000);
