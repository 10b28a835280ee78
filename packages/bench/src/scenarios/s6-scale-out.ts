import { sum } from '../figures.ts';
import { drainRate, queueEvents } from '../load.ts';
import { ratioRow, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { NO_LIMITS, scanOf, startPairs } from '../start-stack.ts';

const WORKERS = [
  { workers: 2, atLeast: 1.95 },
  { workers: 4, atLeast: 3.75 },
];

/** For the last ones, which are not measured. */
const END_MS = 3_000;
/** A run that takes longer is cut off, and counts with what was done. */
const patienceOf = (run: Run): number => many(run, 12_000, 8_000);

interface Shape {
  readonly latencyMs: number;
  readonly perWorker: number;
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Throughput of 1, 2 and 4 worker processes that mostly wait for Kohas. */
export async function measureScaleOut(run: Run): Promise<readonly Measured[]> {
  const shapes: readonly Shape[] = [
    { latencyMs: 150, perWorker: many(run, 130, 40), what: 'Kohas answer in 150 ms', env: {} },
    {
      latencyMs: 20,
      perWorker: 130,
      // Four workers of the default concurrency would need more than two cores: this row is about waiting.
      what: 'Kohas answer in 20 ms, WORKER_CONCURRENCY 5',
      env: { WORKER_CONCURRENCY: '5' },
    },
  ];
  const rows: Measured[] = [];
  for (const shape of run.isQuick ? shapes.slice(0, 1) : shapes)
    rows.push(...(await measureShape(run, shape)));
  return rows;
}

async function measureShape(
  run: Run,
  { latencyMs, perWorker, what, env }: Shape,
): Promise<readonly Measured[]> {
  // Lending libraries, each with a home of its own: so many that no Koha's cap is what stops one worker or four.
  const count = many(run, 40, 4);
  const sizes = run.isQuick ? WORKERS.slice(0, 1) : WORKERS;
  const numbers = [1, ...sizes.map(({ workers }) => workers)];
  const each = (workers: number): number => Math.ceil((perWorker * workers) / count);
  const scans = many(run, 3, 1) * sum(numbers.map(each));
  const options = { latencyMs, env, workers: 0, limits: NO_LIMITS };
  const stack = await startPairs(count, scans, options);
  let used = 0;
  const measureWith = (workers: number): Promise<number> => {
    const from = used;
    used += each(workers);
    return measureDrain(stack, { workers, from, each: each(workers), patienceMs: patienceOf(run) });
  };
  try {
    const rates = await inRounds(
      run,
      3,
      () => repeat(numbers.length, (place) => measureWith(numbers[place] ?? 1)),
      what,
    );
    return sizes.map(({ workers, atLeast }, place) => {
      const rounds = rates.map(([against = Number.NaN, ...more]) => ({
        ours: more[place] ?? Number.NaN,
        against,
      }));
      return ratioRow(
        { what: `${workers} workers against one, ${what}`, unit: 'copies/s', rounds },
        { atLeast },
      );
    });
  } finally {
    await stack.stop();
  }
}

interface Drain {
  readonly workers: number;
  /** The first card of each pair, and how many. */
  readonly from: number;
  readonly each: number;
  readonly patienceMs: number;
}

/** Queues the same number of events at each pair, then lets new workers have them. */
async function measureDrain(stack: Awaited<ReturnType<typeof startPairs>>, drain: Drain): Promise<number> {
  const { workers, from, each, patienceMs } = drain;
  for (const { prefix, lending } of stack.pairs)
    await queueEvents(stack, each, (index) => scanOf(from + index, prefix), lending);
  const base = stack.kohas.endCount;
  const all = each * stack.pairs.length;
  const started = await stack.services.add('worker', workers);
  const part = (share: number): number => Math.round(share * all);
  const { rate } = await drainRate(stack.kohas, { from: part(0.2), to: part(0.9), base }, patienceMs);
  await stack.kohas.endWithin(base + all, END_MS);
  await Promise.all(started.map((worker) => worker.kill()));
  await stack.redis.call('FLUSHALL');
  return rate;
}
