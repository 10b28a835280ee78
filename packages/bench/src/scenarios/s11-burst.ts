import { setTimeout as sleep } from 'node:timers/promises';
import { median, preciseNow, within } from '../figures.ts';
import { countCalls, forgetCalls, isWorkCall } from '../koha-calls.ts';
import { ratioRow, valueRow, type Measure, type Measured } from '../row.ts';
import { inRounds, repeat, type Run } from '../scenario.ts';
import { LENDING, scanOf, startBench, type Stack } from '../start-stack.ts';

const SCANS = 30;
const WEB_WORKERS = 2;
const WARM_UP = 10;
/** Look-up at home; copy, checkout and report at the desk's Koha. */
const FEWEST = { home: 1, lending: 3 };
/** After so many times the ideal, what is not done counts as not done. */
const PATIENCE = 4;

interface Burst {
  /** Until the last desk was notified; the patience where one was not. */
  readonly seconds: number;
  readonly notified: number;
  readonly calls: number;
  readonly pages: readonly number[];
}

/**
 * 30 scans at once while both Kohas serve two requests at a time, and staff work there too: against the ideal, in which
 * the two workers of the lending Koha are never idle and no call is made twice.
 */
export async function measureBurst(run: Run): Promise<readonly Measured[]> {
  const times = run.isQuick ? [60] : [60, 150, 400];
  const what = `${SCANS} scans at Kohas of ${times.join(', ')} ms`;
  const bursts = await inRounds(run, 2, () => measureRound(times), what);
  return times.flatMap((ms, place) =>
    rowsOf(
      ms,
      bursts.flatMap((round) => round[place] ?? []),
    ),
  );
}

const idealSeconds = (ms: number): number => (SCANS * FEWEST.lending * ms) / WEB_WORKERS / 1_000;

function rowsOf(ms: number, bursts: readonly Burst[]): readonly Measured[] {
  const measure = (
    what: string,
    unit: string,
    ours: (burst: Burst) => number,
    against: (burst: Burst) => number,
  ): Measure => ({
    what: `${what}, Kohas take ${ms} ms`,
    unit,
    rounds: bursts.map((burst) => ({ ours: ours(burst), against: against(burst) })),
  });
  // Work that was not done has needed no calls.
  const notified = (burst: Burst): number => Math.max(burst.notified, 1);
  const fewest = (burst: Burst): number => notified(burst) * (FEWEST.home + FEWEST.lending);
  const last = `the last of ${SCANS} desks has its report`;
  const pages = 'a staff page meanwhile';
  return [
    ratioRow(
      measure(
        last,
        's',
        (burst) => burst.seconds,
        () => idealSeconds(ms),
      ),
      { atMost: 1.3 },
    ),
    valueRow(
      measure(
        'desks with a report',
        'desks',
        (burst) => burst.notified,
        () => SCANS,
      ),
      { atLeast: SCANS },
    ),
    ratioRow(
      measure('calls, against the fewest for these desks', 'calls', ({ calls }) => calls, fewest),
      { atMost: 1.05 },
    ),
    ratioRow(
      measure(
        pages,
        'ms',
        (burst) => median(burst.pages),
        () => ms,
      ),
      { atMost: 2 },
    ),
  ];
}

/** At Kohas of every speed at the same time, since nearly all of it is waiting for them. */
async function measureRound(times: readonly number[]): Promise<readonly Burst[]> {
  const benches: Stack[] = [];
  try {
    await repeat(times.length, async () => {
      const front = { webWorkers: WEB_WORKERS, serviceMs: 5 };
      const bench = await startBench({ scans: WARM_UP + SCANS, front });
      benches.push(bench);
      await repeat(WARM_UP, (index) => bench.timeScan(scanOf(index)));
    });
    return await Promise.all(benches.map((bench, place) => runBurst(bench, times[place] ?? 0)));
  } finally {
    await Promise.all(benches.map((bench) => bench.stop()));
  }
}

async function runBurst(bench: Stack, ms: number): Promise<Burst> {
  bench.kohas.setServiceMs(ms);
  await forgetCalls(bench.kohas);
  const staff = startStaff(bench, ms);
  const startedAt = preciseNow();
  const done: number[] = [];
  const ends = Array.from({ length: SCANS }, async (_, place) => {
    const { id } = await bench.scan(scanOf(WARM_UP + place));
    done.push((await bench.kohas.ended(id)).at);
  });
  const patience = PATIENCE * idealSeconds(ms);
  const isWhole = (await within(patience * 1_000, Promise.all(ends))) !== null;
  const notified = done.length;
  const seconds = isWhole ? (Math.max(...done) - startedAt) / 1_000 : patience;
  const pages = await staff.stop();
  return { seconds, notified, calls: await countCalls(bench.kohas, isWorkCall), pages };
}

/** Somebody at the lending library who opens a page now and then: a twentieth of what its Koha can serve. */
function startStaff(bench: Stack, ms: number): { stop(): Promise<readonly number[]> } {
  const page = `${bench.kohas.koha(LENDING).url}/cgi-bin/koha/circ/circulation.pl`;
  const took: number[] = [];
  const end = new AbortController();
  const { signal } = end;
  const work = async (): Promise<void> => {
    for (let count = 0; !signal.aborted; count += 1) {
      // Not in step with the calls: another pause each time.
      const pauseMs = ms * (5 + ((count * 7) % 10) / 2);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
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
