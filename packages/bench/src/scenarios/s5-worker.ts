import { startRedis } from '@passport/testkit';
import { cpuMs } from '../figures.ts';
import { drainRate, queueEvents } from '../load.ts';
import { CONCURRENCY, MAX_IN_FLIGHT, startPeer, startSimple } from '../peers.ts';
import type { LoopPlan } from '../processes/bare-loop.ts';
import type { PeerPlan } from '../processes/our-client.ts';
import { ratioRow, recordRow, valueRow, type Measure, type Measured } from '../row.ts';
import { inRounds, many, type Run } from '../scenario.ts';
import { LENDING, firstOf, scanOf, withBench, type Stack } from '../start-stack.ts';

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
export async function measureWorker(run: Run): Promise<readonly Measured[]> {
  const events = many(run, 700, 100);
  const scans = 4 * events * many(run, 3, 1);
  const redis = await startRedis({ appendonly: true });
  try {
    const rounds = await withBench({ hasNoLimits: true, scans, workers: 0 }, (bench) =>
      inRounds(run, 3, async (round) => {
        const part = (place: number): Part => ({
          bench,
          plan: {
            pairs: [{ home: bench.kohas.koha('home'), lending: bench.kohas.koha(LENDING) }],
            concurrency: CONCURRENCY,
            maxInFlight: MAX_IN_FLIGHT,
            from: (4 * round + place) * events,
            events,
          },
          base: bench.kohas.endCount,
          patienceMs: patienceOf(run),
        });
        return {
          ours: await runWorker(part(0)),
          simple: await runSimple(part(1), redis.port),
          client: await runLoop(part(2), 'koha-client'),
          http: await runLoop(part(3), 'node:http'),
        };
      }),
    );
    return buildRows(rounds);
  } finally {
    await redis.stop();
  }
}

function buildRows(rounds: readonly RoundOfAll[]): readonly Measured[] {
  const rates = (what: string, against: (round: RoundOfAll) => number): Measure => ({
    what: `copy and checkout, against ${what}`,
    unit: 'copies/s',
    rounds: rounds.map((round) => ({ ours: round.ours.rate, against: against(round) })),
  });
  const time = {
    what: 'processor time of the worker for an event',
    unit: 'ms',
    rounds: rounds.map(({ ours, simple }) => ({ ours: ours.cpu, against: simple.cpu })),
  };
  return [
    ratioRow(
      rates('BullMQ and the same client', ({ simple }) => simple.rate),
      { atLeast: 0.8 },
    ),
    valueRow(time, { atMost: 1.3 }),
    recordRow(rates('the same client in a bare loop', ({ client }) => client)),
    recordRow(rates('node:http in a bare loop', ({ http }) => http)),
  ];
}

/** One round of one contestant. */
interface Part {
  readonly bench: Stack;
  readonly plan: PeerPlan;
  /** How many events had ended before. */
  readonly base: number;
  readonly patienceMs: number;
}

/** Queues the events first, then lets a new worker have them, so that it never waits for any. */
async function runWorker(part: Part): Promise<Worked> {
  const { bench, plan } = part;
  await queueEvents(bench, plan.events, (index) => scanOf(plan.from + index));
  const worker = firstOf(await bench.services.add('worker'));
  const worked = await watch(part, worker.pid);
  await worker.kill();
  await bench.redis.call('FLUSHALL');
  return worked;
}

async function runSimple(part: Part, redisPort: number): Promise<Worked> {
  const simple = firstOf(await startSimple({ ...part.plan, redisPort }, 1));
  const worked = await watch(part, simple.pid);
  await simple.stop(2_000);
  return worked;
}

async function watch(
  { bench: { kohas }, plan: { events }, base, patienceMs }: Part,
  pid: number,
): Promise<Worked> {
  const warm = Math.round(WARM * events);
  const { isWhole } = await drainRate(kohas, { from: 1, to: warm, base }, patienceMs / 2);
  const before = { cpu: await cpuMs(pid), ends: kohas.endCount };
  const from = isWhole ? warm : before.ends - base;
  const { rate } = await drainRate(kohas, { from, to: events, base }, patienceMs);
  const used = (await cpuMs(pid)) - before.cpu;
  return { rate, cpu: used / (kohas.endCount - before.ends) };
}

async function runLoop({ bench, plan, base, patienceMs }: Part, client: LoopPlan['client']): Promise<number> {
  const loopPlan: LoopPlan = { ...plan, client };
  const loop = await startPeer('bare-loop', loopPlan);
  const { events } = plan;
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
