import { startRedis } from '@passport/testkit';
import { sum } from '../figures.ts';
import { drainRate, queueEvents } from '../load.ts';
import { CONCURRENCY, MAX_IN_FLIGHT, startSimple } from '../peers.ts';
import { ratioRow, recordRow, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { NO_LIMITS, scanOf, startPairs } from '../start-stack.ts';

const SIZES = [2, 4] as const;
/** What a worker more brings, against what it brings the simplest processor on the same cores. */
const AT_LEAST = 0.95;

/** For the last ones, which are not measured. */
const END_MS = 3_000;
/** A run that takes longer is cut off, and counts with what was done. */
const patienceOf = (run: Run): number => many(run, 12_000, 8_000);

interface Shape {
  readonly latencyMs: number;
  readonly perWorker: number;
  readonly what: string;
  /** Jobs of a process at once; undefined: as shipped. */
  readonly concurrency?: number;
}

/** How 1, 2 and 4 worker processes that mostly wait for Kohas share the work, and the simplest processors beside them. */
export async function measureScaleOut(run: Run): Promise<readonly Measured[]> {
  const shapes: readonly Shape[] = [
    { latencyMs: 150, perWorker: many(run, 130, 40), what: 'Kohas answer in 150 ms' },
    {
      latencyMs: 20,
      perWorker: 130,
      // Four workers of the default concurrency would need more than two cores: this row is about waiting.
      what: 'Kohas answer in 20 ms, WORKER_CONCURRENCY 5',
      concurrency: 5,
    },
  ];
  const rows: Measured[] = [];
  for (const shape of run.isQuick ? shapes.slice(0, 1) : shapes)
    rows.push(...(await measureShape(run, shape)));
  return rows;
}

/** Copies per second of so many processes of each kind. */
interface Rates {
  readonly ours: number;
  readonly simple: number;
}

async function measureShape(
  run: Run,
  { latencyMs, perWorker, what, concurrency }: Shape,
): Promise<readonly Measured[]> {
  // Lending libraries, each with a home of its own: so many that no Koha's cap is what stops one worker or four.
  const count = many(run, 40, 4);
  const sizes = run.isQuick ? SIZES.slice(0, 1) : SIZES;
  const numbers = [1, ...sizes];
  const each = (workers: number): number => Math.ceil((perWorker * workers) / count);
  const scans = 2 * many(run, 3, 1) * sum(numbers.map(each));
  const env = concurrency === undefined ? {} : { WORKER_CONCURRENCY: String(concurrency) };
  const redis = await startRedis({ appendonly: true });
  const stack = await startPairs(count, scans, { latencyMs, env, workers: 0, limits: NO_LIMITS });
  let used = 0;
  const measureWith = async (workers: number): Promise<Rates> => {
    const drain = (): Drain => {
      const from = used;
      used += each(workers);
      return { workers, from, each: each(workers), patienceMs: patienceOf(run) };
    };
    const ours = await drainOurs(stack, drain());
    const peer = { redisPort: redis.port, concurrency: concurrency ?? CONCURRENCY };
    return { ours, simple: await drainSimple(stack, drain(), peer) };
  };
  try {
    const rounds = await inRounds(
      run,
      3,
      () => repeat(numbers.length, (place) => measureWith(numbers[place] ?? 1)),
      what,
    );
    return sizes.flatMap((workers, size) => {
      const pairs = rounds.map(([one, ...more]) => ({ one, some: more[size] }));
      const scaled = pairs.map(({ one, some }) => ({
        ours: (some?.ours ?? Number.NaN) / (one?.ours ?? Number.NaN),
        against: (some?.simple ?? Number.NaN) / (one?.simple ?? Number.NaN),
      }));
      const rates = pairs.map(({ some }) => ({
        ours: some?.ours ?? Number.NaN,
        against: some?.simple ?? Number.NaN,
      }));
      return [
        ratioRow(
          {
            what: `${workers} workers: times one, as the simplest processor, ${what}`,
            unit: '×',
            rounds: scaled,
          },
          { atLeast: AT_LEAST },
        ),
        recordRow({ what: `${workers} workers, ${what}`, unit: 'copies/s', rounds: rates }),
      ];
    });
  } finally {
    await Promise.all([stack.stop(), redis.stop()]);
  }
}

interface Drain {
  readonly workers: number;
  /** The first card of each pair, and how many. */
  readonly from: number;
  readonly each: number;
  readonly patienceMs: number;
}

type Pairs = Awaited<ReturnType<typeof startPairs>>;

/** Queues the same number of events at each pair, then lets new workers have them. */
async function drainOurs(stack: Pairs, drain: Drain): Promise<number> {
  const { workers, from, each } = drain;
  for (const { prefix, lending } of stack.pairs)
    await queueEvents(stack, each, (index) => scanOf(from + index, prefix), lending);
  const { endCount } = stack.kohas;
  const started = await stack.services.add('worker', workers);
  const rate = await rateOf(stack, drain, endCount);
  await Promise.all(started.map((worker) => worker.kill()));
  await stack.redis.call('FLUSHALL');
  return rate;
}

/** The same with BullMQ and the same client in the simplest processor. */
async function drainSimple(
  stack: Pairs,
  drain: Drain,
  peer: { readonly redisPort: number; readonly concurrency: number },
): Promise<number> {
  const { workers, from, each } = drain;
  const pairs = stack.pairs.map(({ home, lending }) => ({
    home: stack.kohas.koha(home),
    lending: stack.kohas.koha(lending),
  }));
  const { endCount } = stack.kohas;
  const plan = { ...peer, pairs, from, events: each * pairs.length, maxInFlight: MAX_IN_FLIGHT };
  const started = await startSimple(plan, workers);
  const rate = await rateOf(stack, drain, endCount);
  await Promise.all(started.map((worker) => worker.stop(2_000)));
  return rate;
}

async function rateOf({ pairs, kohas }: Pairs, { each, patienceMs }: Drain, base: number): Promise<number> {
  const all = each * pairs.length;
  const part = (share: number): number => Math.round(share * all);
  const { rate } = await drainRate(kohas, { from: part(0.2), to: part(0.9), base }, patienceMs);
  await kohas.endWithin(base + all, END_MS);
  return rate;
}
