import { setTimeout as sleep } from 'node:timers/promises';
import { residentMb, sum } from '../figures.ts';
import { drainRate, queueEvents } from '../load.ts';
import { keyBytes, meanKeyBytes, settledUsedBytes, usedBytes } from '../redis-figures.ts';
import { differenceRow, ratioRow, valueRow, type Measured } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { LENDING, firstOf, scanOf, withBench, type Stack } from '../start-stack.ts';

/** What BullMQ alone keeps of a job with an empty payload. */
const BARE_JOB_BYTES = 410;
/** Coalescing keys of waiting events live 10 s. */
const SHORT_LIVED_MS = 11_000;
/** What an hour's limit counts, and what its Koha stores as soon as its desks are quiet: both go by themselves. */
const PASSING = ['hour:copies', 'unremembered'].map((name) => `{passport}:${name}:${LENDING}`);
/** For each tenth: what has not drained by then does not drain. */
const patienceOf = (run: Run): number => many(run, 60_000, 10_000);

/** A day's backlog in one go: queued, then drained by one worker, checkouts included; memory of Redis and worker meanwhile. */
export function measureBacklog(run: Run): Promise<readonly Measured[]> {
  const events = many(run, 6_000, 100);
  const options = {
    hasNoLimits: true,
    scans: events,
    workers: 0,
    redis: {},
    // What remains of an event is looked at; the last of a long queue must still be checked out.
    retention: { finished: '1s' },
    retry: { checkout_within: '1h' },
  };
  return withBench(options, async (bench) => {
    const empty = await usedBytes(bench.redis);
    run.progress(`queueing ${events} events`);
    await queueEvents(bench, events, scanOf);
    await sleep(many(run, SHORT_LIVED_MS, 0));
    const waiting = ((await usedBytes(bench.redis)) - empty) / events;
    const drained = await drain(run, bench, events);
    return [
      drainRow(events, drained.rates),
      bytesRow('Redis for a waiting event, against a bare job', waiting, BARE_JOB_BYTES, 1_500),
      ...(drained.isWhole ? [...(await measurePast(run, bench, empty, events)), memoryRow(drained)] : []),
    ];
  });
}

function bytesRow(what: string, ours: number, against: number, atMost: number): Measured {
  return valueRow({ what, unit: 'bytes', rounds: [{ ours, against }] }, { atMost });
}

function drainRow(events: number, [first = Number.NaN, ...rates]: readonly number[]): Measured {
  return ratioRow(
    {
      what: `each ${events / 10} of ${events} events drained, against the first; the last`,
      unit: 'events/s',
      rounds: rates.map((ours) => ({ ours, against: first })),
      all: { ours: rates.at(-1) ?? Number.NaN, against: first },
    },
    { atLeast: 0.95 },
  );
}

function memoryRow({ earlyMb, lateMb }: Drained): Measured {
  const what = 'memory of the worker, end against early';
  return differenceRow({ what, unit: 'MB', rounds: [{ ours: lateMb, against: earlyMb }] }, { atMost: 30 });
}

interface Drained {
  readonly rates: readonly number[];
  readonly earlyMb: number;
  readonly lateMb: number;
  readonly isWhole: boolean;
}

async function drain(run: Run, bench: Stack, events: number): Promise<Drained> {
  const part = events / 10;
  const worker = firstOf(await bench.services.add('worker'));
  const rates: number[] = [];
  let earlyMb: number | null = null;
  let isWhole = true;
  for (let from = 0; from < events && isWhole; from += part) {
    // A worker's first events also start it.
    const since = from === 0 ? Math.round(part / 10) : from;
    const drained = await drainRate(bench.kohas, { from: since, to: from + part }, patienceOf(run));
    earlyMb ??= await residentMb(worker.pid);
    ({ isWhole } = drained);
    // Where the patience ends, the last ones are never drained.
    rates.push(drained.rate, ...(isWhole ? [] : [0]));
    run.progress(`${bench.kohas.endCount} of ${events} drained`);
  }
  return { rates, earlyMb: earlyMb ?? Number.NaN, lateMb: await residentMb(worker.pid), isWhole };
}

async function measurePast(
  run: Run,
  bench: Stack,
  empty: number,
  events: number,
): Promise<readonly Measured[]> {
  run.progress('waiting for retention to take what it takes');
  const bytesOf = (key: string): Promise<number> => keyBytes(bench.redis, key);
  const settled = await settledUsedBytes(bench.redis, many(run, 6, 1));
  const all = (settled - empty - sum(await Promise.all(PASSING.map(bytesOf)))) / events;
  const remembered = (await bytesOf(`{passport}:remembered:${LENDING}`)) / events;
  const key = (await meanKeyBytes(bench.redis, '{passport}:idempotency:*')) + remembered;
  const receipt = (await bytesOf('{passport}:receipts')) / events;
  return [
    bytesRow('idempotency key past retention', key, 200, 200),
    bytesRow('receipt past retention', receipt, 300, 300),
    bytesRow('all that remains of an event past retention', all, key + receipt, 500),
  ];
}
