import { drainRate, queueEvents } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow } from '../row.ts';
import type { Round, Row } from '../row.ts';
import { many } from '../scenario.ts';
import type { Run } from '../scenario.ts';
import { NO_LIMITS, serveKoha } from '../start-bench.ts';
import { startStack } from '../start-stack.ts';
import type { Stack } from '../start-stack.ts';

const WORKERS = [
  { workers: 2, atLeast: 1.95 },
  { workers: 4, atLeast: 3.75 },
];

/** A run that takes longer is cut off, and counts with what was done. */
const patienceOf = (run: Run): number => many(run, 30_000, 10_000);

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
    { latencyMs: 150, pairs, perWorker: many(run, 500, 40), what: 'Kohas answer in 150 ms', env: {} },
    {
      latencyMs: 20,
      pairs,
      perWorker: 500,
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
  for (let round = 1; round <= total; round += 1) {
    run.progress(`${shape.what}, round ${round} of ${total}`);
    const against = await measureWith(run, 1, shape);
    for (const [place, { workers }] of sizes.entries())
      rounds[place]?.push({ ours: await measureWith(run, workers, shape), against });
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

async function measureWith(run: Run, workers: number, shape: Shape): Promise<number> {
  const events = shape.perWorker * workers;
  const each = Math.ceil(events / shape.pairs);
  const stack = await startPairs(shape, each);
  try {
    for (let pair = 0; pair < shape.pairs; pair += 1) {
      await queueEvents(
        stack,
        each,
        (index) => ({ cardnumber: cardOf(prefixOf(pair), index), item_barcode: barcodeOf(index) }),
        `lending-${pair}`,
      );
    }
    await stack.services.add('worker', workers);
    const part = (share: number): number => Math.round(share * events);
    const { rate } = await drainRate(stack.kohas, { from: part(0.2), to: part(0.9) }, patienceOf(run));
    return rate;
  } finally {
    await stack.stop();
  }
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
