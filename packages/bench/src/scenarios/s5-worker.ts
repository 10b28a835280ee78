import { fileURLToPath } from 'node:url';
import { startProcess, startRedis, type StartedProcess, type StartedRedis } from '@passport/testkit';
import { drainRate, queueEvents } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { cpuMs } from '../process-figures.ts';
import type { LoopPlan } from '../processes/bare-loop.ts';
import type { SimplePlan } from '../processes/simple-worker.ts';
import { ratioRow, recordRow, valueRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { LENDING, startBench, type Bench } from '../start-bench.ts';

const PREFIX = '21234';
/** The defaults of the product, for the peers too. */
const CONCURRENCY = 50;
const MAX_IN_FLIGHT = 8;
/** A round that takes longer is cut off, and counts with what was done. */
const patienceOf = (run: Run): number => many(run, 12_000, 5_000);
/** The share of events after which a process has compiled what it runs. */
const WARM = 0.25;

interface Worked {
  readonly rate: number;
  /** Processor time of an event in milliseconds. */
  readonly cpu: number;
}

interface RoundOfAll {
  readonly ours: Worked;
  readonly simple: Worked;
  readonly client: number;
  readonly http: number;
}

/** Copies with checkout per second of one worker, against a simple worker and the bare calls, at Kohas that answer at once. */
export async function measureWorker(run: Run): Promise<readonly Row[]> {
  const events = many(run, 700, 100);
  const total = many(run, 3, 1);
  const patrons = 4 * events * total;
  const bench = await startBench({
    latencyMs: 0,
    isWatched: true,
    hasNoLimits: true,
    homes: [{ id: 'home', prefix: PREFIX, patrons }],
    items: patrons,
    workers: 0,
  });
  const redis = await startRedis({ appendonly: true });
  const rounds: RoundOfAll[] = [];
  try {
    while (rounds.length < total) {
      run.progress(`round ${rounds.length + 1} of ${total}`);
      const from = 4 * events * rounds.length;
      rounds.push({
        ours: await runWorker(bench, from, events, patienceOf(run)),
        simple: await runSimple(bench, redis, from + events, events, patienceOf(run)),
        client: await runLoop(bench, 'koha-client', from + 2 * events, events, patienceOf(run)),
        http: await runLoop(bench, 'node:http', from + 3 * events, events, patienceOf(run)),
      });
    }
  } finally {
    await redis.stop();
    await bench.stop();
  }
  return buildRows(rounds);
}

function buildRows(rounds: readonly RoundOfAll[]): readonly Row[] {
  const measure = { scenario: 'S5', unit: 'copies/s' };
  const against = (value: (round: RoundOfAll) => number): readonly Round[] =>
    rounds.map((round) => ({ ours: round.ours.rate, against: value(round) }));
  return [
    ratioRow(
      {
        ...measure,
        what: 'copy and checkout, against BullMQ and the same client',
        rounds: against(({ simple }) => simple.rate),
      },
      { atLeast: 0.8 },
    ),
    valueRow(
      {
        ...measure,
        what: 'processor time of the worker for an event',
        unit: 'ms',
        rounds: rounds.map(({ ours, simple }) => ({ ours: ours.cpu, against: simple.cpu })),
      },
      { atMost: 1.3 },
    ),
    recordRow({
      ...measure,
      what: 'copy and checkout, against the same client in a bare loop',
      rounds: against(({ client }) => client),
    }),
    recordRow({
      ...measure,
      what: 'copy and checkout, against node:http in a bare loop',
      rounds: against(({ http }) => http),
    }),
  ];
}

/** Queues the events first, then lets a new worker have them, so that it never waits for any. */
async function runWorker(bench: Bench, from: number, events: number, patienceMs: number): Promise<Worked> {
  await queueEvents(bench, events, (index) => ({
    cardnumber: cardOf(PREFIX, from + index),
    item_barcode: barcodeOf(from + index),
  }));
  const base = bench.kohas.endCount;
  const [worker] = await bench.services.add('worker');
  if (worker === undefined) throw new Error('a worker was started');
  const worked = await watch(bench, base, events, worker.pid, patienceMs);
  await worker.kill();
  await bench.redis.call('FLUSHALL');
  return worked;
}

async function runSimple(
  bench: Bench,
  redis: StartedRedis,
  from: number,
  events: number,
  patienceMs: number,
): Promise<Worked> {
  const plan: SimplePlan = {
    redisPort: redis.port,
    home: bench.kohas.koha('home'),
    lending: bench.kohas.koha(LENDING),
    concurrency: CONCURRENCY,
    maxInFlight: MAX_IN_FLIGHT,
    from,
    events,
  };
  const base = bench.kohas.endCount;
  const simple = await startPeer('simple-worker', plan, /^ready$/m);
  const worked = await watch(bench, base, events, simple.pid, patienceMs);
  await simple.stop(2_000);
  return worked;
}

async function watch(
  bench: Bench,
  base: number,
  events: number,
  pid: number,
  patienceMs: number,
): Promise<Worked> {
  const warm = Math.round(WARM * events);
  const { isWhole } = await drainRate(bench.kohas, { from: 1, to: warm, base }, patienceMs / 2);
  const before = { cpu: await cpuMs(pid), ends: bench.kohas.endCount };
  const from = isWhole ? warm : before.ends - base;
  const { rate } = await drainRate(bench.kohas, { from, to: events, base }, patienceMs);
  const used = (await cpuMs(pid)) - before.cpu;
  return { rate, cpu: used / (bench.kohas.endCount - before.ends) };
}

async function runLoop(
  bench: Bench,
  client: LoopPlan['client'],
  from: number,
  events: number,
  patienceMs: number,
): Promise<number> {
  const plan: LoopPlan = {
    client,
    home: bench.kohas.koha('home'),
    lending: bench.kohas.koha(LENDING),
    concurrency: CONCURRENCY,
    maxInFlight: MAX_IN_FLIGHT,
    from,
    events,
  };
  const base = bench.kohas.endCount;
  const loop = await startPeer('bare-loop', plan);
  const { rate } = await Promise.race([
    drainRate(bench.kohas, { from: Math.round(WARM * events), to: events, base }, patienceMs),
    loop.exited.then(({ code }) => {
      if (code === 0) return new Promise<never>(() => undefined);
      throw new Error(`the bare loop failed: ${loop.output()}`);
    }),
  ]);
  await loop.stop(1_000);
  return rate;
}

function startPeer(name: string, plan: LoopPlan | SimplePlan, readyWhen?: RegExp): Promise<StartedProcess> {
  return startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL(`../processes/${name}.js`, import.meta.url)), JSON.stringify(plan)],
    env: { NODE_ENV: 'production' },
    ...(readyWhen === undefined ? {} : { readyWhen }),
  });
}
