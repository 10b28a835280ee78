import type { RunningService } from '@passport/testkit';
import { preciseNow } from '../clock.ts';
import { pathOf } from '../front/start-front.ts';
import { barcodeOf, cardOf, keyOf } from '../kohas-protocol.ts';
import { cpuMs, residentMb } from '../process-figures.ts';
import { differenceRow, valueRow } from '../row.ts';
import type { Measure, Row } from '../row.ts';
import { many } from '../scenario.ts';
import type { Run } from '../scenario.ts';
import { serveKoha } from '../start-bench.ts';
import { startStack } from '../start-stack.ts';
import type { Stack } from '../start-stack.ts';
import { median } from '../statistics.ts';

const FEW = 10;
/** Stand-ins behind all libraries: one that is a hundred libraries answers each as if it were alone. */
const KOHAS = 10;
const AT_ONCE = 4;
const METRICS_READS = 5;

interface Figures {
  readonly cpu: number;
  readonly start: number;
  readonly memory: number;
  readonly metrics: number;
}

interface Consortium {
  readonly libraries: number;
  readonly stack: Stack;
  readonly worker: RunningService;
  readonly receiver: RunningService;
  scanned: number;
  readonly rounds: Figures[];
}

/** What a thousand libraries in one file cost, beside ten: everybody serves the patrons of everybody, and has done so once. */
export async function measureLibraries(run: Run): Promise<readonly Row[]> {
  const rounds = many(run, 3, 1);
  const events = many(run, 250, 30);
  const consortia: Consortium[] = [];
  try {
    for (const libraries of [FEW, many(run, 1_000, 100)]) {
      consortia.push(await startConsortium(libraries, libraries + (rounds + 1) * events));
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

function buildRows([few, lots]: readonly Consortium[]): readonly Row[] {
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

async function startConsortium(libraries: number, scans: number): Promise<Consortium> {
  const stack = await startMany(libraries, scans);
  const [worker] = stack.services.workers;
  const [receiver] = stack.services.receivers;
  if (worker === undefined || receiver === undefined) throw new Error('a receiver and a worker were started');
  return { libraries, stack, worker, receiver, scanned: 0, rounds: [] };
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

/** One scan of each library's card. */
const scanAll = (consortium: Consortium): Promise<void> =>
  scanMany(consortium, consortium.libraries, (index) => [index, 0]);

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
      const { id, status } = await stack.scan(`library-${(home + 1) % libraries}`, {
        cardnumber: cardOf(prefixOf(home), patron),
        item_barcode: barcodeOf(index),
      });
      if (status !== 202) throw new Error(`a scan was answered with ${status}`);
      await stack.kohas.ended(id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scanOn));
}

const prefixOf = (library: number): string => String(20_000 + library);

function startMany(libraries: number, scans: number): Promise<Stack> {
  const places = Array.from({ length: libraries }, (_, place) => place);
  return startStack({
    plan: {
      latencyMs: 0,
      isWatched: true,
      libraries: Array.from({ length: KOHAS }, (_, koha) => ({
        id: `koha-${koha}`,
        prefix: prefixOf(busyHome(koha, libraries)),
        prefixes: places
          .filter((place) => place % KOHAS === koha && place !== busyHome(koha, libraries))
          .map(prefixOf),
        keys: libraries,
        patrons: Math.ceil(scans / FEW) + 2,
        items: scans + AT_ONCE,
      })),
    },
    serve: (kohas, secretOf) =>
      places.map((place) => {
        const id = `library-${place}`;
        const koha = kohas[place % KOHAS];
        if (koha === undefined) throw new Error(`there are ${KOHAS} stand-ins`);
        const url = `${koha.url}${pathOf(id)}`;
        return serveKoha({ ...koha, ...keyOf(koha, place), id, url, prefix: prefixOf(place) }, secretOf(id));
      }),
    front: { webWorkers: null, serviceMs: 0, roundTripMs: 0, tls: false },
  });
}
