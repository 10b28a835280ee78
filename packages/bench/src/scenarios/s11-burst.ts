import { setTimeout as sleep } from 'node:timers/promises';
import { median, preciseNow, timeOf, within } from '../figures.ts';
import { ratioRow, valueRow, type Measure, type Measured, type Round } from '../row.ts';
import { inRounds, repeat, type Run } from '../scenario.ts';
import { LENDING, scanOf, withBench, type Stack } from '../stack.ts';

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
  const bursts = await inRounds(run, 2, () => measureRound(times), `${what}, round`);
  return times.flatMap((ms, place) =>
    rowsOf(
      ms,
      bursts.flatMap((round) => round[place] ?? []),
    ),
  );
}

const idealSeconds = (ms: number): number => (SCANS * FEWEST.lending * ms) / WEB_WORKERS / 1_000;

function rowsOf(ms: number, bursts: readonly Burst[]): readonly Measured[] {
  const measure = (what: string, unit: string, figures: (burst: Burst) => Round): Measure => ({
    what: `${what}, Kohas take ${ms} ms`,
    unit,
    rounds: bursts.map(figures),
  });
  const last = measure(`the last of ${SCANS} desks has its report`, 's', ({ seconds }) => ({
    ours: seconds,
    against: idealSeconds(ms),
  }));
  const desks = measure('desks with a report', 'desks', ({ notified }) => ({
    ours: notified,
    against: SCANS,
  }));
  // Work that was not done has needed no calls.
  const calls = measure('calls, against the fewest for these desks', 'calls', (burst) => ({
    ours: burst.calls,
    against: Math.max(burst.notified, 1) * (FEWEST.home + FEWEST.lending),
  }));
  const pages = measure('a staff page meanwhile', 'ms', (burst) => ({
    ours: median(burst.pages),
    against: ms,
  }));
  return [
    ratioRow(last, { atMost: 1.3 }),
    valueRow(desks, { atLeast: SCANS }),
    ratioRow(calls, { atMost: 1.05 }),
    ratioRow(pages, { atMost: 2 }),
  ];
}

/** At Kohas of every speed at the same time, since nearly all of it is waiting for them; once all are warm. */
function measureRound(times: readonly number[], warm: readonly Stack[] = []): Promise<readonly Burst[]> {
  if (warm.length === times.length)
    return Promise.all(warm.map((bench, place) => runBurst(bench, times[place] ?? 0)));
  const front = { webWorkers: WEB_WORKERS, serviceMs: 5 };
  return withBench({ scans: WARM_UP + SCANS, front }, async (bench) => {
    await repeat(WARM_UP, (index) => bench.timeScan(scanOf(index)));
    return measureRound(times, [...warm, bench]);
  });
}

async function runBurst(bench: Stack, ms: number): Promise<Burst> {
  bench.kohas.setServiceMs(ms);
  await bench.kohas.controlAll('DELETE', 'calls');
  const staff = startStaff(bench, ms);
  const startedAt = preciseNow();
  const done: number[] = [];
  const ends = Array.from({ length: SCANS }, async (_, place) => {
    const { id } = await bench.scan(scanOf(WARM_UP + place));
    done.push(await bench.kohas.ended(id));
  });
  const patience = PATIENCE * idealSeconds(ms);
  const isWhole = (await within(patience * 1_000, Promise.all(ends))) !== null;
  const notified = done.length;
  const seconds = isWhole ? (Math.max(...done) - startedAt) / 1_000 : patience;
  const pages = await staff.stop();
  const calls = (await bench.kohas.controlAll('GET', 'calls')).flat().filter(isWorkCall).length;
  return { seconds, notified, calls, pages };
}

/** Calls that move a patron or a report; tokens, Koha's description and the plugin's own facts are queried now and then. */
const isWorkCall = (call: unknown): boolean =>
  !/^\/api\/v1\/(?:oauth\/token|contrib\/passport\/about|\.html|)$/.test((call as { path: string }).path);

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
      took.push(await timeOf(async () => (await fetch(page)).text()));
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
