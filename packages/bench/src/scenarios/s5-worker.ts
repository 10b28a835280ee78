import { startRedis } from '@passport/testkit';
import { cpuMs, preciseNow, within } from '../figures.ts';
import { buildRequests, sendLoad } from '../load.ts';
import type { SimplePlan } from '../processes/simple-worker.ts';
import { ratioRow, valueRow, type Measured } from '../row.ts';
import { inRounds, many, type Run } from '../scenario.ts';
import type { Kohas } from '../start-kohas.ts';
import { startPeer } from '../start-peer.ts';
import { LENDING, firstOf, withBench } from '../stack.ts';

/** The defaults of the product, for the peer too. */
const DEFAULTS = { concurrency: 50, maxInFlight: 8 };
/** The share of events after which a process has compiled what it runs. */
const WARM = 0.25;

interface Worked {
  readonly rate: number;
  /** Processor time of an event in milliseconds. */
  readonly cpu: number;
}

/** Copies with checkout per second of one worker, against a simple worker, at Kohas that answer at once. */
export async function measureWorker(run: Run): Promise<readonly Measured[]> {
  const events = many(run, 700, 100);
  const scans = 2 * events * many(run, 3, 1);
  // A round that takes longer is cut off, and counts with what was done.
  const patienceMs = many(run, 12_000, 5_000);
  return withBench({ hasNoLimits: true, scans, workers: 0 }, async (bench) => {
    const { kohas, services, receiver, secretOf } = bench;
    const redis = await startRedis({ appendonly: true });
    const peer = { redisPort: redis.port, home: kohas.koha('home'), lending: kohas.koha(LENDING) };
    const url = `${receiver.url}/webhooks/${LENDING}`;
    const rounds = await inRounds(run, 3, async (round) => {
      // The events are queued first, so that a worker never waits for any.
      const from = 2 * round * events;
      await sendLoad(url, buildRequests(url, secretOf(LENDING), from, events));
      let base = kohas.endCount;
      const worker = firstOf(await services.add('worker'));
      const ours = await watch(kohas, worker.pid, base, events, patienceMs);
      await worker.kill();
      await bench.redis.call('FLUSHALL');
      base = kohas.endCount;
      const plan: SimplePlan = { ...peer, ...DEFAULTS, from: from + events, events };
      const simple = await startPeer('simple-worker', JSON.stringify(plan));
      const against = await watch(kohas, simple.pid, base, events, patienceMs);
      await simple.stop(2_000);
      return { ours, against };
    });
    await redis.stop();
    const measure = (key: keyof Worked) =>
      rounds.map(({ ours, against }) => ({ ours: ours[key], against: against[key] }));
    const rate = { what: 'copy and checkout, against BullMQ and the same client', unit: 'copies/s' };
    const time = { what: 'processor time of the worker for an event', unit: 'ms' };
    return [
      ratioRow({ ...rate, rounds: measure('rate') }, { atLeast: 0.8 }),
      valueRow({ ...time, rounds: measure('cpu') }, { atMost: 1.3 }),
    ];
  });
}

/** What a process does from when it is warm until the last event has ended, or the patience has. */
async function watch(
  kohas: Kohas,
  pid: number,
  base: number,
  events: number,
  patienceMs: number,
): Promise<Worked> {
  const warm = await within(patienceMs / 2, kohas.nthEnd(base + Math.round(WARM * events)));
  const [startedAt, ended, used] = [warm ?? preciseNow(), kohas.endCount, await cpuMs(pid)];
  const from = warm === null ? ended : base + Math.round(WARM * events);
  const last = await within(patienceMs, kohas.nthEnd(base + events));
  const [endedAt, done] = last === null ? [preciseNow(), kohas.endCount] : [last, base + events];
  return {
    rate: (1_000 * (done - from)) / (endedAt - startedAt),
    cpu: ((await cpuMs(pid)) - used) / (kohas.endCount - ended),
  };
}
