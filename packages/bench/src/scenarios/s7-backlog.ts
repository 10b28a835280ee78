import { setTimeout as sleep } from 'node:timers/promises';
import { queueEvents, rateBetween, watchDrain } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { residentMb } from '../resident-mb.ts';
import { differenceRow, ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';
import type { Bench } from '../start-bench.ts';

const EVENTS = 100_000;
const PART = EVENTS / 10;
const PREFIX = '21234';
/** What BullMQ alone keeps of a job with an empty payload. */
const BARE_JOB_BYTES = 410;
const PATIENCE_MS = 180_000;

/** A day's backlog in one go: queued, then drained by one worker; room in Redis and in the worker meanwhile. */
export async function measureBacklog(): Promise<readonly Row[]> {
  const bench = await startBench({
    latencyMs: 0,
    homes: [{ id: 'home', prefix: PREFIX, patrons: EVENTS }],
    workers: 0,
    redis: {},
    retention: { finished: '1s' },
    retry: { tell_koha: false },
  });
  try {
    const empty = await usedBytes(bench);
    await queueEvents(bench, EVENTS, (index) => ({
      cardnumber: cardOf(PREFIX, index),
      item_barcode: barcodeOf(index),
    }));
    const waitingBytes = ((await usedBytes(bench)) - empty) / EVENTS;
    const [worker] = await bench.services.add('worker');
    const early = watchDrain(bench, PART).then(async () => residentMb(worker?.pid ?? 0));
    const marks = await watchDrain(bench, EVENTS);
    const grownMb = { from: await early, to: await residentMb(worker?.pid ?? 0) };
    const pastBytes = ((await leastBytes(bench)) - empty) / EVENTS;
    const measure = { scenario: 'S7' };
    return [
      ratioRow(
        {
          ...measure,
          what: `the last ${PART} of ${EVENTS} drained, against the first`,
          unit: 'events/s',
          ours: rateBetween(marks, EVENTS - PART, EVENTS),
          against: rateBetween(marks, 500, PART),
        },
        { atLeast: 0.95 },
      ),
      bytesRow('Redis for a waiting event, against a bare job', waitingBytes, BARE_JOB_BYTES, 1_700),
      bytesRow('Redis for an event past its retention', pastBytes, 0, 400),
      differenceRow(
        {
          ...measure,
          what: 'memory of the worker, end against early',
          unit: 'MB',
          ours: grownMb.to,
          against: grownMb.from,
        },
        { atMost: 30 },
      ),
    ];
  } finally {
    await bench.stop();
  }
}

function bytesRow(what: string, ours: number, against: number, atMost: number): Row {
  const row = differenceRow({ scenario: 'S7', what, unit: 'bytes', ours, against }, { atMost });
  return { ...row, target: `≤ ${atMost} bytes in all`, met: ours <= atMost };
}

async function usedBytes({ redis }: Bench): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await redis.ask('INFO', 'memory')))?.[1] ?? Number.NaN);
}

/** Waits until retention has taken what it takes: the memory no longer falls. */
async function leastBytes(bench: Bench): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  let before = await usedBytes(bench);
  for (let still = 0; still < 15 && performance.now() < end;) {
    await sleep(2_000);
    const now = await usedBytes(bench);
    still = now < before * 0.999 ? 0 : still + 1;
    before = Math.min(before, now);
  }
  return before;
}
