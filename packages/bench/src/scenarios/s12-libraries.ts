import { preciseNow } from '../clock.ts';
import { FEW, scanAll, scanBusy, startConsortium, type Consortium } from '../many-libraries.ts';
import { cpuMs, residentMb } from '../process-figures.ts';
import { differenceRow, valueRow, type Measure, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { median } from '../statistics.ts';

const METRICS_READS = 5;

interface Figures {
  readonly cpu: number;
  readonly start: number;
  readonly memory: number;
  readonly metrics: number;
}

interface Measured extends Consortium {
  readonly rounds: Figures[];
}

/** What a thousand libraries in one file cost, beside ten: everybody serves the patrons of everybody, and has done so once. */
export async function measureLibraries(run: Run): Promise<readonly Row[]> {
  const rounds = many(run, 3, 1);
  const events = many(run, 160, 30);
  const consortia: Measured[] = [];
  try {
    for (const libraries of [FEW, many(run, 1_000, 100)]) {
      const consortium = await startConsortium(libraries, libraries + (rounds + 1) * events);
      consortia.push({ ...consortium, rounds: [] });
    }
    for (let round = 1; round <= rounds; round += 1) {
      for (const consortium of consortia) {
        run.progress(`start with ${consortium.libraries} libraries, round ${round} of ${rounds}`);
        consortium.rounds.push({ ...NOTHING, start: await measureStart(consortium) });
      }
    }
    for (const consortium of consortia) {
      run.progress(`every one of ${consortium.libraries} libraries once`);
      await scanAll(consortium);
      await scanBusy(consortium, events);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const consortium of consortia) {
        run.progress(`${events} events, ${consortium.libraries} libraries, round ${round + 1} of ${rounds}`);
        const start = consortium.rounds[round]?.start ?? Number.NaN;
        consortium.rounds[round] = { ...(await measureEvents(consortium, events)), start };
      }
    }
    return buildRows(consortia);
  } finally {
    await Promise.all(consortia.map(({ stack }) => stack.stop()));
  }
}

const NOTHING: Figures = { cpu: Number.NaN, start: Number.NaN, memory: Number.NaN, metrics: Number.NaN };

function buildRows([few, lots]: readonly Measured[]): readonly Row[] {
  const libraries = lots?.libraries ?? Number.NaN;
  const measure = (what: string, unit: string, key: keyof Figures): Measure => ({
    scenario: 'S12',
    what: `${what}, ${libraries} libraries against ${FEW}`,
    unit,
    rounds: (lots?.rounds ?? []).map((figures, place) => ({
      ours: figures[key],
      against: few?.rounds[place]?.[key] ?? Number.NaN,
    })),
  });
  return [
    differenceRow(measure('processor time of receiver and worker for an event', 'ms', 'cpu'), {
      atMost: 0.5,
    }),
    valueRow(measure('worker ready', 'ms', 'start'), { atMost: 2_000 }),
    valueRow(measure('worker after the events', 'MB', 'memory'), { atMost: 200 }),
    valueRow(measure("the worker's /metrics", 'ms', 'metrics'), { atMost: 20 }),
  ];
}

async function measureStart({ worker }: Consortium): Promise<number> {
  await worker.kill();
  const startedAt = preciseNow();
  await worker.restart();
  return preciseNow() - startedAt;
}

async function measureEvents(consortium: Consortium, events: number): Promise<Omit<Figures, 'start'>> {
  const { worker, receiver } = consortium;
  const used = async (): Promise<number> => (await cpuMs(worker.pid)) + (await cpuMs(receiver.pid));
  const before = await used();
  await scanBusy(consortium, events);
  const cpu = ((await used()) - before) / events;
  const reads: number[] = [];
  for (let read = 0; read < METRICS_READS; read += 1) {
    const sentAt = preciseNow();
    await worker.metrics();
    reads.push(preciseNow() - sentAt);
  }
  return { cpu, memory: await residentMb(worker.pid), metrics: median(reads) };
}
