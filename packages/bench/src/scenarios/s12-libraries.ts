import { setTimeout as sleep } from 'node:timers/promises';
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
const SETTLE_MS = 1_000;
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
  scanned: number;
  readonly rounds: Figures[];
}

/** What a thousand libraries in one file cost, beside ten: everybody lends to everybody, scans come from everywhere. */
export async function measureLibraries(run: Run): Promise<readonly Row[]> {
  const rounds = many(run, 4, 1);
  const events = many(run, 500, 30);
  const lots = many(run, 1_000, 100);
  const consortia: Consortium[] = [];
  try {
    for (const libraries of [FEW, lots]) {
      const stack = await startMany(libraries, (rounds + 1) * events);
      consortia.push({ libraries, stack, scanned: 0, rounds: [] });
    }
    // The first round only compiles what the others run.
    for (let round = many(run, 0, 1); round <= rounds; round += 1) {
      for (const consortium of consortia) {
        run.progress(`${consortium.libraries} libraries, round ${round} of ${rounds}`);
        const figures = await measureRound(consortium, events);
        if (round > 0) consortium.rounds.push(figures);
      }
    }
    return buildRows(consortia);
  } finally {
    await Promise.all(consortia.map(({ stack }) => stack.stop()));
  }
}

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

async function measureRound(consortium: Consortium, events: number): Promise<Figures> {
  const { stack } = consortium;
  const [worker] = stack.services.workers;
  const [receiver] = stack.services.receivers;
  if (worker === undefined || receiver === undefined) throw new Error('a receiver and a worker were started');
  const startedAt = preciseNow();
  await worker.restart();
  const start = preciseNow() - startedAt;
  await sleep(SETTLE_MS);
  const used = async (): Promise<number> => (await cpuMs(worker.pid)) + (await cpuMs(receiver.pid));
  // The first ones compile what the later ones run.
  await scanMany(consortium, events / 5);
  const before = await used();
  await scanMany(consortium, (events * 4) / 5);
  const cpu = ((await used()) - before) / ((events * 4) / 5);
  const reads: number[] = [];
  for (let read = 0; read < METRICS_READS; read += 1) {
    const askedAt = preciseNow();
    await worker.metrics();
    reads.push(preciseNow() - askedAt);
  }
  return { cpu, start, memory: await residentMb(worker.pid), metrics: median(reads) };
}

async function scanMany(consortium: Consortium, events: number): Promise<void> {
  const { stack, libraries } = consortium;
  const end = consortium.scanned + Math.round(events);
  const scanOn = async (): Promise<void> => {
    while (consortium.scanned < end) {
      const index = consortium.scanned++;
      // Steps of 7 reach every library before the first comes again.
      const home = (7 * index) % libraries;
      const lending = `library-${(home + 1) % libraries}`;
      const card = cardOf(prefixOf(home), Math.floor(index / libraries));
      const { id, status } = await stack.scan(lending, { cardnumber: card, item_barcode: barcodeOf(index) });
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
        prefix: prefixOf(koha),
        prefixes: places.filter((place) => place % KOHAS === koha).map(prefixOf),
        keys: libraries,
        patrons: Math.ceil(scans / libraries) + 1,
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
