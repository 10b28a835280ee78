import { cpuMs, median, residentMb, timeOf } from '../figures.ts';
import { pathOf } from '../front.ts';
import { keyOf } from '../kohas-protocol.ts';
import { differenceRow, valueRow, type Measure, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { scanOf, serveKoha, startStack, type Stack } from '../stack.ts';

const METRICS_READS = 5;
/** Libraries of the smaller installation; and those of the larger one whose cards are shown once all have been. */
const FEW = 10;
/** Stand-ins behind all libraries: one that is a hundred libraries answers each as if it were alone. */
const KOHAS = 10;
const AT_ONCE = 4;

/** So many libraries in one file: everybody serves the patrons of everybody. */
interface Consortium {
  readonly libraries: number;
  readonly stack: Stack;
  /** How many scans were sent so far. */
  scanned: number;
}

interface Figures {
  readonly cpu: number;
  readonly memory: number;
  readonly metrics: number;
}

/** What a thousand libraries in one file cost, beside ten: everybody serves the patrons of everybody, and has done so once. */
export async function measureLibraries(run: Run): Promise<readonly Measured[]> {
  const events = many(run, 160, 30);
  const later = (many(run, 3, 1) + 1) * events;
  const consortia: Consortium[] = [];
  const ofBoth = <Result>(measure: (of: Consortium) => Promise<Result>): Promise<Result[]> =>
    repeat(consortia.length, (place) => measure(consortia[place] as Consortium));
  try {
    for (const libraries of [FEW, many(run, 1_000, 100)])
      consortia.push({ libraries, stack: await startMany(libraries, libraries + later), scanned: 0 });
    const starts = await inRounds(run, 3, () => ofBoth(measureStart), 'start');
    run.progress('every library once');
    await ofBoth(async (consortium) => {
      await scanMany(consortium, consortium.libraries, (index) => [index, 0]);
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
  const cpu = measure('processor time of receiver and worker for an event', 'ms', of('cpu'));
  return [
    differenceRow(cpu, { atMost: 0.5 }),
    valueRow(measure('worker ready', 'ms', starts), { atMost: 2_000 }),
    valueRow(measure('worker after the events', 'MB', of('memory')), { atMost: 200 }),
    valueRow(measure("the worker's /metrics", 'ms', of('metrics')), { atMost: 20 }),
  ];
}

async function measureStart({ stack: { worker } }: Consortium): Promise<number> {
  await worker.kill();
  return timeOf(() => worker.restart());
}

async function measureEvents(consortium: Consortium, events: number): Promise<Figures> {
  const { worker, receiver } = consortium.stack;
  const used = async (): Promise<number> => (await cpuMs(worker.pid)) + (await cpuMs(receiver.pid));
  const before = await used();
  await scanBusy(consortium, events);
  const cpu = ((await used()) - before) / events;
  const reads = await repeat(METRICS_READS, () => timeOf(() => worker.metrics()));
  return { cpu, memory: await residentMb(worker.pid), metrics: median(reads) };
}

/** Scans of the cards of ten libraries, which lie evenly among all. */
function scanBusy(consortium: Consortium, events: number): Promise<void> {
  const { libraries } = consortium;
  return scanMany(consortium, events, (index) => [
    busyHome(index % FEW, libraries),
    1 + Math.floor((index - libraries) / FEW),
  ]);
}

const busyHome = (place: number, libraries: number): number =>
  libraries === FEW ? place : place * (libraries / FEW) + place;

/** Each home's neighbour checks out to its patrons. `patronOf` says whose card comes next: home and number. */
async function scanMany(
  consortium: Consortium,
  events: number,
  patronOf: (index: number) => readonly [home: number, patron: number],
): Promise<void> {
  const { stack, libraries } = consortium;
  const end = consortium.scanned + events;
  const scanOn = async (): Promise<void> => {
    while (consortium.scanned < end) {
      const index = consortium.scanned++;
      const [home, patron] = patronOf(index);
      await stack.timeScan(scanOf(patron, prefixOf(home), index), `library-${(home + 1) % libraries}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scanOn));
}

/** Of a library's cards. */
const prefixOf = (library: number): string => String(20_000 + library);

/** The processes of so many libraries, whose Kohas have patrons and items for so many scans. */
function startMany(libraries: number, scans: number): Promise<Stack> {
  const places = Array.from({ length: libraries }, (_, place) => place);
  return startStack({
    libraries: Array.from({ length: KOHAS }, (_, koha) => ({
      id: `koha-${koha}`,
      prefix: prefixOf(busyHome(koha, libraries)),
      others: places
        .filter((place) => place % KOHAS === koha && place !== busyHome(koha, libraries))
        .map(prefixOf),
      keys: libraries,
      patrons: Math.ceil(scans / FEW) + 2,
      items: scans,
    })),
    serve: (kohas, secretOf) =>
      places.map((place) => {
        const id = `library-${place}`;
        const koha = kohas[place % KOHAS];
        if (koha === undefined) throw new Error(`there are ${KOHAS} stand-ins`);
        const url = `${koha.url}${pathOf(id)}`;
        return serveKoha({ ...koha, ...keyOf(koha, place), id, url, prefix: prefixOf(place) }, secretOf(id));
      }),
    front: { webWorkers: null, serviceMs: 0 },
  });
}
