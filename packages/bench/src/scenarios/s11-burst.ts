import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../clock.ts';
import { countByOperation, forgetCalls, isWorkCall } from '../koha-calls.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { ratioRow, recordRow, valueRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { LENDING, startBench, type Bench } from '../start-bench.ts';
import { median, sum } from '../statistics.ts';

const SCANS = 30;
const WEB_WORKERS = 2;
const PREFIX = '21234';
const WARM_UP = 10;
/** Look-up at home; copy, checkout and report at the desk's Koha. */
const FEWEST = { home: 1, lending: 3 };
/** After so many times the ideal, what is not done counts as not done. */
const PATIENCE = 4;

interface Burst {
  /** Until the last desk was notified; the patience where one was not. */
  readonly seconds: number;
  readonly notified: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly pages: readonly number[];
}

/**
 * 30 scans at once while both Kohas serve two requests at a time, and staff work there too: against the ideal, in which
 * the two workers of the lending Koha are never idle and no call is made twice.
 */
export async function measureBurst(run: Run): Promise<readonly Row[]> {
  const times = run.isQuick ? [60] : [60, 150, 400];
  const bursts: (readonly Burst[])[] = [];
  const rounds = many(run, 2, 1);
  for (let round = 1; round <= rounds; round += 1) {
    run.progress(`${SCANS} scans at Kohas of ${times.join(', ')} ms, round ${round} of ${rounds}`);
    bursts.push(await measureRound(times));
  }
  return times.flatMap((ms, place) =>
    rowsOf(
      ms,
      bursts.flatMap((round) => round[place] ?? []),
    ),
  );
}

const idealSeconds = (ms: number): number => (SCANS * FEWEST.lending * ms) / WEB_WORKERS / 1_000;

function rowsOf(ms: number, bursts: readonly Burst[]): readonly Row[] {
  const at = (what: string): string => `${what}, Kohas take ${ms} ms`;
  const rounds = (ours: (burst: Burst) => number, against: (burst: Burst) => number): readonly Round[] =>
    bursts.map((burst) => ({ ours: ours(burst), against: against(burst) }));
  // Work that was not done has needed no calls.
  const fewest = ({ notified }: Burst): number => Math.max(notified, 1) * (FEWEST.home + FEWEST.lending);
  const operations = [...new Set(bursts.flatMap(({ calls }) => Object.keys(calls)))].sort();
  const measure = { scenario: 'S11' };
  return [
    ratioRow(
      {
        ...measure,
        what: at(`the last of ${SCANS} desks has its report`),
        unit: 's',
        rounds: rounds(
          ({ seconds }) => seconds,
          () => idealSeconds(ms),
        ),
      },
      { atMost: 1.3 },
    ),
    valueRow(
      {
        ...measure,
        what: at('desks with a report'),
        unit: 'desks',
        rounds: rounds(
          ({ notified }) => notified,
          () => SCANS,
        ),
      },
      { atLeast: SCANS },
    ),
    ratioRow(
      {
        ...measure,
        what: at('calls, against the fewest for these desks'),
        unit: 'calls',
        rounds: rounds(({ calls }) => sum(Object.values(calls)), fewest),
      },
      { atMost: 1.05 },
    ),
    ratioRow(
      {
        ...measure,
        what: at('a staff page meanwhile'),
        unit: 'ms',
        rounds: rounds(
          ({ pages }) => median(pages),
          () => ms,
        ),
      },
      { atMost: 2 },
    ),
    ...operations.map((operation) =>
      recordRow({
        ...measure,
        what: at(operation),
        unit: 'calls',
        rounds: rounds(
          ({ calls }) => calls[operation] ?? 0,
          ({ notified }) => Math.max(notified, 1),
        ),
      }),
    ),
  ];
}

/** At Kohas of every speed at the same time, since nearly all of it is waiting for them. */
async function measureRound(times: readonly number[]): Promise<readonly Burst[]> {
  const benches: { readonly ms: number; readonly bench: Bench }[] = [];
  try {
    for (const ms of times) benches.push({ ms, bench: await startWarmBench() });
    return await Promise.all(benches.map(({ ms, bench }) => runBurst(bench, ms)));
  } finally {
    await Promise.all(benches.map(({ bench }) => bench.stop()));
  }
}

async function startWarmBench(): Promise<Bench> {
  const bench = await startBench({
    latencyMs: 0,
    isWatched: true,
    homes: [{ id: 'home', prefix: PREFIX, patrons: WARM_UP + SCANS }],
    items: WARM_UP + SCANS,
    front: { webWorkers: WEB_WORKERS, serviceMs: 5, roundTripMs: 0, tls: false },
  });
  for (let index = 0; index < WARM_UP; index += 1) await bench.kohas.ended((await scanCard(bench, index)).id);
  return bench;
}

const scanCard = (bench: Bench, index: number) =>
  bench.scan({ cardnumber: cardOf(PREFIX, index), item_barcode: barcodeOf(index) });

async function runBurst(bench: Bench, ms: number): Promise<Burst> {
  bench.kohas.setServiceMs(ms);
  await forgetCalls(bench.kohas);
  const staff = startStaff(bench, ms);
  const startedAt = preciseNow();
  const ends = Array.from({ length: SCANS }, async (_, place) => {
    const { id, status } = await scanCard(bench, WARM_UP + place);
    if (status !== 202) throw new Error(`a scan was answered with ${status}`);
    return (await bench.kohas.ended(id)).at;
  });
  const patience = PATIENCE * idealSeconds(ms);
  const done = await doneWithin(ends, patience * 1_000);
  const pages = await staff.stop();
  const calls = await countByOperation(bench.kohas, isWorkCall);
  const seconds = done.length < SCANS ? patience : (Math.max(...done) - startedAt) / 1_000;
  return { seconds, notified: done.length, calls, pages };
}

async function doneWithin(ends: readonly Promise<number>[], patienceMs: number): Promise<readonly number[]> {
  const done: number[] = [];
  const all = Promise.all(ends.map(async (end) => done.push(await end)));
  const patience = new AbortController();
  await Promise.race([all, sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
  return [...done];
}

/** Somebody at the lending library who opens a page now and then: a twentieth of what its Koha can serve. */
function startStaff(bench: Bench, ms: number): { stop(): Promise<readonly number[]> } {
  const page = `${bench.kohas.koha(LENDING).url}/cgi-bin/koha/circ/circulation.pl`;
  const took: number[] = [];
  const end = new AbortController();
  const work = async (): Promise<void> => {
    for (let count = 0; !end.signal.aborted; count += 1) {
      // Not in step with the calls: another pause each time.
      await sleep(ms * (5 + ((count * 7) % 10) / 2), undefined, { signal: end.signal }).catch(
        () => undefined,
      );
      if (end.signal.aborted) return;
      const sentAt = preciseNow();
      await (await fetch(page)).text();
      took.push(preciseNow() - sentAt);
    }
  };
  const working = work();
  return {
    async stop() {
      end.abort();
      await working;
      return took;
    },
  };
}
