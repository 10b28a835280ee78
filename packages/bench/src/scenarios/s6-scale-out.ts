import { drainRate, queueEvents } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { NO_LIMITS, serveKoha } from '../start-bench.ts';
import { startStack, type Stack } from '../start-stack.ts';

const WORKERS = [
  { workers: 2, atLeast: 1.95 },
  { workers: 4, atLeast: 3.75 },
];

/** For the last ones, which are not measured. */
const END_MS = 3_000;
/** A run that takes longer is cut off, and counts with what was done. */
const patienceOf = (run: Run): number => many(run, 12_000, 8_000);

interface Shape {
  /** Lending libraries, each with a home of its own: so many that no Koha's cap is what stops one worker or four. */
  readonly pairs: number;
  readonly latencyMs: number;
  readonly perWorker: number;
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Throughput of 1, 2 and 4 worker processes that mostly wait for Kohas. */
export async function measureScaleOut(run: Run): Promise<readonly Row[]> {
  const pairs = many(run, 40, 4);
  const shapes: readonly Shape[] = [
    { latencyMs: 150, pairs, perWorker: many(run, 130, 40), what: 'Kohas answer in 150 ms', env: {} },
    {
      latencyMs: 20,
      pairs,
      perWorker: 130,
      // Four workers of the default concurrency would need more than two cores: this row is about waiting.
      what: 'Kohas answer in 20 ms, WORKER_CONCURRENCY 5',
      env: { WORKER_CONCURRENCY: '5' },
    },
  ];
  const rows: Row[] = [];
  for (const shape of run.isQuick ? shapes.slice(0, 1) : shapes)
    rows.push(...(await measureShape(run, shape)));
  return rows;
}

async function measureShape(run: Run, shape: Shape): Promise<readonly Row[]> {
  const sizes = run.isQuick ? WORKERS.slice(0, 1) : WORKERS;
  const rounds = sizes.map((): Round[] => []);
  const total = many(run, 3, 1);
  const each = (workers: number): number => Math.ceil((shape.perWorker * workers) / shape.pairs);
  const perRound = each(1) + sizes.reduce((sum, { workers }) => sum + each(workers), 0);
  const stack = await startPairs(shape, total * perRound);
  let used = 0;
  const measureWith = async (workers: number): Promise<number> => {
    const from = used;
    used += each(workers);
    return measureDrain(stack, shape, { workers, from, each: each(workers), patienceMs: patienceOf(run) });
  };
  try {
    for (let round = 1; round <= total; round += 1) {
      run.progress(`${shape.what}, round ${round} of ${total}`);
      const against = await measureWith(1);
      for (const [place, { workers }] of sizes.entries())
        rounds[place]?.push({ ours: await measureWith(workers), against });
    }
  } finally {
    await stack.stop();
  }
  return sizes.map(({ workers, atLeast }, place) =>
    ratioRow(
      {
        scenario: 'S6',
        what: `${workers} workers against one, ${shape.what}`,
        unit: 'copies/s',
        rounds: rounds[place] ?? [],
      },
      { atLeast },
    ),
  );
}

interface Drain {
  readonly workers: number;
  /** The first card of each pair, and how many. */
  readonly from: number;
  readonly each: number;
  readonly patienceMs: number;
}

/** Queues the same number of events at each pair, then lets new workers have them. */
async function measureDrain(stack: Stack, { pairs }: Shape, drain: Drain): Promise<number> {
  const { workers, from, each, patienceMs } = drain;
  for (let pair = 0; pair < pairs; pair += 1) {
    await queueEvents(
      stack,
      each,
      (index) => ({
        cardnumber: cardOf(prefixOf(pair), from + index),
        item_barcode: barcodeOf(from + index),
      }),
      `lending-${pair}`,
    );
  }
  const base = stack.kohas.endCount;
  const started = await stack.services.add('worker', workers);
  const part = (share: number): number => Math.round(share * each * pairs);
  const { rate } = await drainRate(stack.kohas, { from: part(0.2), to: part(0.9), base }, patienceMs);
  await stack.kohas.endWithin(base + each * pairs, END_MS);
  await Promise.all(started.map((worker) => worker.kill()));
  await stack.redis.call('FLUSHALL');
  return rate;
}

const prefixOf = (pair: number): string => String(21_000 + pair);

function startPairs({ latencyMs, env, pairs: count }: Shape, each: number): Promise<Stack> {
  const pairs = Array.from({ length: count }, (_, pair) => pair);
  return startStack({
    plan: {
      latencyMs,
      isWatched: true,
      libraries: pairs.flatMap((pair) => [
        { id: `home-${pair}`, prefix: prefixOf(pair), patrons: each, items: 0 },
        { id: `lending-${pair}`, prefix: String(91_000 + pair), patrons: 0, items: each },
      ]),
    },
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id.startsWith('lending') ? secretOf(koha.id) : null)),
    keys: {
      agreements: pairs.map((pair) => ({ home: `home-${pair}`, lending: `lending-${pair}` })),
      defaults: { copy: { category: 'PT' }, limits: NO_LIMITS },
    },
    workers: 0,
    env,
  });
}
