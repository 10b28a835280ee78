import { queueEvents, rateBetween, watchDrain } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';

const PER_WORKER = 500;
const PREFIX = '21234';
/** Long enough that two cores wait rather than work, with four workers, too. */
const LATENCY_MS = 150;

/** Throughput of 1, 2 and 4 worker processes that mostly wait for Kohas. */
export async function measureScaleOut(): Promise<readonly Row[]> {
  const one = await measureWith(1);
  const rows: Row[] = [];
  for (const { workers, atLeast } of [
    { workers: 2, atLeast: 1.9 },
    { workers: 4, atLeast: 3.6 },
  ]) {
    const what = `${workers} workers against one, Kohas answer in ${LATENCY_MS} ms`;
    const ours = await measureWith(workers);
    rows.push(ratioRow({ scenario: 'S6', what, unit: 'copies/s', ours, against: one }, { atLeast }));
  }
  return rows;
}

async function measureWith(workers: number): Promise<number> {
  const events = PER_WORKER * workers;
  const bench = await startBench({
    latencyMs: LATENCY_MS,
    homes: [{ id: 'home', prefix: PREFIX, patrons: events }],
    items: events,
    workers: 0,
    env: { WORKER_CONCURRENCY: '20' },
  });
  try {
    await queueEvents(bench, events, (index) => ({
      cardnumber: cardOf(PREFIX, index),
      item_barcode: barcodeOf(index),
    }));
    await bench.services.add('worker', workers);
    const marks = await watchDrain(bench, events);
    return rateBetween(marks, events * 0.2, events * 0.9);
  } finally {
    await bench.stop();
  }
}
