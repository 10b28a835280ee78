import { cpuMs, median, preciseNow, residentMb } from '../figures.ts';
import { FEW, scanAll, scanBusy, startConsortium, type Consortium } from '../many-libraries.ts';
import { differenceRow, valueRow, type Measure, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';

const METRICS_READS = 5;

interface Figures {
  readonly cpu: number;
  readonly memory: number;
  readonly metrics: number;
}

/** What a thousand libraries in one file cost, beside ten: everybody serves the patrons of everybody, and has done so once. */
export async function measureLibraries(run: Run): Promise<readonly Measured[]> {
  const events = many(run, 160, 30);
  const scans = (libraries: number): number => libraries + (many(run, 3, 1) + 1) * events;
  const consortia: Consortium[] = [];
  const ofBoth = <Result>(measure: (of: Consortium) => Promise<Result>): Promise<Result[]> =>
    repeat(consortia.length, (place) => measure(consortia[place] as Consortium));
  try {
    for (const libraries of [FEW, many(run, 1_000, 100)]) {
      consortia.push(await startConsortium(libraries, scans(libraries)));
    }
    const starts = await inRounds(run, 3, () => ofBoth(measureStart), 'start');
    run.progress('every library once');
    await ofBoth(async (consortium) => {
      await scanAll(consortium);
      await scanBusy(consortium, events);
    });
    const rounds = await inRounds(
      run,
      3,
      () => ofBoth((of) => measureEvents(of, events)),
      `${events} events`,
    );
    return buildRows(consortia[1]?.libraries ?? Number.NaN, starts, rounds);
  } finally {
    await Promise.all(consortia.map(({ stack }) => stack.stop()));
  }
}

/** Each round has the figures of the few libraries, and of the many. */
function buildRows(
  libraries: number,
  starts: readonly (readonly number[])[],
  rounds: readonly (readonly Figures[])[],
): readonly Measured[] {
  const measure = (what: string, unit: string, figures: readonly (readonly number[])[]): Measure => ({
    what: `${what}, ${libraries} libraries against ${FEW}`,
    unit,
    rounds: figures.map(([against = Number.NaN, ours = Number.NaN]) => ({ ours, against })),
  });
  const of = (key: keyof Figures) => rounds.map((round) => round.map((figures) => figures[key]));
  return [
    differenceRow(measure('processor time of receiver and worker for an event', 'ms', of('cpu')), {
      atMost: 0.5,
    }),
    valueRow(measure('worker ready', 'ms', starts), { atMost: 2_000 }),
    valueRow(measure('worker after the events', 'MB', of('memory')), { atMost: 200 }),
    valueRow(measure("the worker's /metrics", 'ms', of('metrics')), { atMost: 20 }),
  ];
}

async function measureStart({ stack: { worker } }: Consortium): Promise<number> {
  await worker.kill();
  const startedAt = preciseNow();
  await worker.restart();
  return preciseNow() - startedAt;
}

async function measureEvents(consortium: Consortium, events: number): Promise<Figures> {
  const { worker, receiver } = consortium.stack;
  const used = async (): Promise<number> => (await cpuMs(worker.pid)) + (await cpuMs(receiver.pid));
  const before = await used();
  await scanBusy(consortium, events);
  const cpu = ((await used()) - before) / events;
  const reads = await repeat(METRICS_READS, async () => {
    const sentAt = preciseNow();
    await worker.metrics();
    return preciseNow() - sentAt;
  });
  return { cpu, memory: await residentMb(worker.pid), metrics: median(reads) };
}
