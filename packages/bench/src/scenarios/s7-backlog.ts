import { setTimeout as sleep } from 'node:timers/promises';
import { drainRate, queueEvents } from '../drain.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { residentMb } from '../process-figures.ts';
import { keyBytes, meanKeyBytes, usedBytes, settledUsedBytes } from '../redis-memory.ts';
import { differenceRow, ratioRow, valueRow, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { LENDING, startBench, type Bench } from '../start-bench.ts';
import { sum } from '../statistics.ts';

const PREFIX = '21234';
/** What BullMQ alone keeps of a job with an empty payload. */
const BARE_JOB_BYTES = 410;
/** Coalescing keys of waiting events live 10 s. */
const SHORT_LIVED_MS = 11_000;
/** What an hour's limit counts, and what its Koha stores as soon as its desks are quiet: both go by themselves. */
const PASSING = ['hour:copies', 'unremembered'].map((name) => `{passport}:${name}:${LENDING}`);
/** For each tenth: what has not drained by then does not drain. */
const patienceOf = (run: Run): number => many(run, 60_000, 10_000);

/** A day's backlog in one go: queued, then drained by one worker, checkouts included; memory of Redis and worker meanwhile. */
export async function measureBacklog(run: Run): Promise<readonly Row[]> {
  const events = many(run, 6_000, 100);
  const part = events / 10;
  const bench = await startBench({
    latencyMs: 0,
    isWatched: true,
    hasNoLimits: true,
    homes: [{ id: 'home', prefix: PREFIX, patrons: events }],
    items: events,
    workers: 0,
    redis: {},
    // What remains of an event is looked at; the last of a long queue must still be checked out.
    retention: { finished: '1s' },
    retry: { checkout_within: '1h' },
  });
  try {
    const empty = await usedBytes(bench.redis);
    run.progress(`queueing ${events} events`);
    await queueEvents(bench, events, (index) => ({
      cardnumber: cardOf(PREFIX, index),
      item_barcode: barcodeOf(index),
    }));
    await sleep(many(run, SHORT_LIVED_MS, 0));
    const waiting = ((await usedBytes(bench.redis)) - empty) / events;
    const { rates, memory, isWhole } = await drain(run, bench, events, part);
    const past = isWhole ? await readPast(run, bench, empty, events) : null;
    return buildRows({ events, part, waiting, rates, memory, past });
  } finally {
    await bench.stop();
  }
}

interface Figures {
  readonly events: number;
  readonly part: number;
  readonly waiting: number;
  readonly rates: readonly number[];
  readonly memory: { readonly from: number; readonly to: number };
  /** Null where not all were drained. */
  readonly past: { readonly all: number; readonly key: number; readonly receipt: number } | null;
}

function buildRows({ events, part, waiting, rates, memory, past }: Figures): readonly Row[] {
  const [first = Number.NaN] = rates;
  const measure = { scenario: 'S7' };
  const bytes = (what: string, ours: number, against: number, atMost: number): Row =>
    valueRow({ ...measure, what, unit: 'bytes', rounds: [{ ours, against }] }, { atMost });
  return [
    ratioRow(
      {
        ...measure,
        what: `each ${part} of ${events} events drained, against the first; the last`,
        unit: 'events/s',
        rounds: rates.slice(1).map((ours) => ({ ours, against: first })),
        all: { ours: rates.at(-1) ?? Number.NaN, against: first },
      },
      { atLeast: 0.95 },
    ),
    bytes('Redis for a waiting event, against a bare job', waiting, BARE_JOB_BYTES, 1_500),
    ...(past === null
      ? []
      : [
          bytes('idempotency key past retention', past.key, 200, 200),
          bytes('receipt past retention', past.receipt, 300, 300),
          bytes('all that remains of an event past retention', past.all, past.key + past.receipt, 500),
          differenceRow(
            {
              ...measure,
              what: 'memory of the worker, end against early',
              unit: 'MB',
              rounds: [{ ours: memory.to, against: memory.from }],
            },
            { atMost: 30 },
          ),
        ]),
  ];
}

async function drain(
  run: Run,
  bench: Bench,
  events: number,
  part: number,
): Promise<{
  readonly rates: readonly number[];
  readonly memory: Figures['memory'];
  readonly isWhole: boolean;
}> {
  const [worker] = await bench.services.add('worker');
  if (worker === undefined) throw new Error('a worker was started');
  const rates: number[] = [];
  let early: number | null = null;
  for (let from = 0; from < events; from += part) {
    // A worker's first events also start it.
    const since = from === 0 ? Math.round(part / 10) : from;
    const { rate, isWhole } = await drainRate(bench.kohas, { from: since, to: from + part }, patienceOf(run));
    early ??= await residentMb(worker.pid);
    if (!isWhole) {
      run.progress(`only ${bench.kohas.endCount} of ${events} drained`);
      // The last ones were never drained.
      return { rates: [...rates, rate, 0], memory: await memorySince(early, worker.pid), isWhole };
    }
    rates.push(rate);
    run.progress(`${from + part} of ${events} drained`);
  }
  return { rates, memory: await memorySince(early ?? Number.NaN, worker.pid), isWhole: true };
}

const memorySince = async (from: number, pid: number): Promise<Figures['memory']> => ({
  from,
  to: await residentMb(pid),
});

async function readPast(
  run: Run,
  bench: Bench,
  empty: number,
  events: number,
): Promise<NonNullable<Figures['past']>> {
  run.progress('waiting for retention to take what it takes');
  const settled = await settledUsedBytes(bench.redis, many(run, 6, 1));
  const passing = await Promise.all(PASSING.map((key) => keyBytes(bench.redis, key)));
  const all = (settled - empty - sum(passing)) / events;
  const remembered = (await keyBytes(bench.redis, `{passport}:remembered:${LENDING}`)) / events;
  const receipts = (await keyBytes(bench.redis, '{passport}:receipts')) / events;
  return {
    all,
    key: (await meanKeyBytes(bench.redis, '{passport}:guard:*')) + remembered,
    receipt: receipts,
  };
}
