import { fileURLToPath } from 'node:url';
import { startProcess } from '@passport/testkit';
import { queueEvents, rateBetween, watchDrain } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import type { LoopPlan } from '../processes/bare-loop.ts';
import { ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { LENDING, startBench } from '../start-bench.ts';
import type { Bench } from '../start-bench.ts';
import { median } from '../statistics.ts';

const EVENTS = 2_000;
const WARM_UP = 300;
const ROUNDS = 3;
const CONCURRENCY = 20;
const PREFIX = '21234';

/** Copies with checkout per second of one worker, against its own calls in a bare loop of equal concurrency. */
export async function measureWorker(): Promise<readonly Row[]> {
  const perRound = 3 * EVENTS;
  const bench = await startBench({
    latencyMs: 0,
    homes: [{ id: 'home', prefix: PREFIX, patrons: perRound * ROUNDS }],
    items: perRound * ROUNDS,
    workers: 0,
    env: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  });
  const rates = { ours: [] as number[], client: [] as number[], http: [] as number[] };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = round * perRound;
      rates.ours.push(await runWorker(bench, from));
      rates.client.push(await runLoop(bench, 'koha-client', from + EVENTS));
      rates.http.push(await runLoop(bench, 'node:http', from + 2 * EVENTS));
    }
  } finally {
    await bench.stop();
  }
  const measure = { scenario: 'S5', unit: 'copies/s', ours: median(rates.ours) };
  return [
    ratioRow(
      {
        ...measure,
        what: 'copy and loan, against the same client in a bare loop',
        against: median(rates.client),
      },
      { atLeast: 0.85 },
    ),
    {
      ...ratioRow(
        { ...measure, what: 'copy and loan, against node:http', against: median(rates.http) },
        { atLeast: 0 },
      ),
      target: 'for the record',
    },
  ];
}

/** Queues the events first, then lets a new worker have them, so that it never waits for any. */
async function runWorker(bench: Bench, from: number): Promise<number> {
  await queueEvents(bench, EVENTS, (index) => ({
    cardnumber: cardOf(PREFIX, from + index),
    item_barcode: barcodeOf(from + index),
  }));
  const [worker] = await bench.services.add('worker');
  const marks = await watchDrain(
    { ...bench, services: { ...bench.services, workers: [worker].flatMap((w) => w ?? []) } },
    EVENTS,
  );
  await worker?.stop();
  return rateBetween(marks, WARM_UP, EVENTS);
}

async function runLoop(bench: Bench, client: LoopPlan['client'], from: number): Promise<number> {
  const plan: LoopPlan = {
    client,
    home: bench.kohas.koha('home'),
    lending: bench.kohas.koha(LENDING),
    concurrency: CONCURRENCY,
    from,
    events: EVENTS,
  };
  const program = fileURLToPath(new URL('../processes/bare-loop.js', import.meta.url));
  const loop = await startProcess({ command: process.execPath, args: [program, JSON.stringify(plan)] });
  const { code } = await loop.exited;
  if (code !== 0) throw new Error(`the bare loop failed: ${loop.output()}`);
  return Number(loop.stdout());
}
