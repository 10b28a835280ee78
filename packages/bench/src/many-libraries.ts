import { pathOf } from './front.ts';
import { keyOf } from './kohas-protocol.ts';
import { scanOf, serveKoha, startStack, type Stack, type StackOptions } from './start-stack.ts';

/** Libraries whose cards are shown once all have been. */
export const FEW = 10;
/** Stand-ins behind all libraries: one that is a hundred libraries answers each as if it were alone. */
export const KOHAS = 10;
const AT_ONCE = 4;

/** So many libraries in one file: everybody serves the patrons of everybody. */
export interface Consortium {
  readonly libraries: number;
  readonly stack: Stack;
  /** How many scans were sent so far. */
  scanned: number;
}

interface ConsortiumOptions extends Pick<StackOptions, 'keys' | 'env'> {
  readonly latencyMs?: number;
  /** Patrons of each library and items of each stand-in, where scans come to all libraries alike; else they come to ten. */
  readonly alike?: { readonly patrons: number; readonly items: number };
  /** One more library that lends so many items, has a Koha of its own: {@link SWEPT}. */
  readonly itemsOfSwept?: number;
}

/** The one library that has all that is done once a night. */
export const SWEPT = 'swept';
const NIGHTLY = { refresh: { sweep: '03:00' }, owed: { read: '03:00' }, loans: { count: '03:00' } };

/** Starts the processes of so many libraries, whose Kohas have patrons and items for so many scans. */
export async function startConsortium(
  libraries: number,
  scans: number,
  options: ConsortiumOptions = {},
): Promise<Consortium> {
  const stack = await startMany(libraries, scans, options);
  return { libraries, stack, scanned: 0 };
}

/** One scan of each library's card. */
export const scanAll = (consortium: Consortium, atOnce = AT_ONCE): Promise<void> =>
  scanMany(consortium, consortium.libraries, atOnce, (index) => [index, 0]);

/** Scans of the cards of ten libraries, which lie evenly among all. */
export function scanBusy(consortium: Consortium, events: number): Promise<void> {
  const { libraries } = consortium;
  return scanMany(consortium, events, AT_ONCE, (index) => [
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
  atOnce: number,
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
  await Promise.all(Array.from({ length: atOnce }, scanOn));
}

/** Of a library's cards. */
export const prefixOf = (library: number): string => String(20_000 + library);

function startMany(
  libraries: number,
  scans: number,
  { latencyMs = 0, alike, itemsOfSwept, ...options }: ConsortiumOptions,
): Promise<Stack> {
  const places = Array.from({ length: libraries }, (_, place) => place);
  const swept =
    itemsOfSwept === undefined ? [] : [{ id: SWEPT, prefix: '19999', patrons: 0, items: itemsOfSwept }];
  return startStack({
    ...options,
    plan: {
      latencyMs,
      isWatched: true,
      libraries: [
        ...Array.from({ length: KOHAS }, (_, koha) => ({
          id: `koha-${koha}`,
          prefix: prefixOf(busyHome(koha, libraries)),
          prefixes: places
            .filter((place) => place % KOHAS === koha && place !== busyHome(koha, libraries))
            .map(prefixOf),
          keys: libraries,
          patrons: alike?.patrons ?? Math.ceil(scans / FEW) + 2,
          patronsOfPrefix: alike?.patrons ?? 1,
          items: alike?.items ?? scans + libraries,
        })),
        ...swept,
      ],
    },
    serve: (kohas, secretOf) => [
      ...places.map((place) => {
        const id = `library-${place}`;
        const koha = kohas[place % KOHAS];
        if (koha === undefined) throw new Error(`there are ${KOHAS} stand-ins`);
        const url = `${koha.url}${pathOf(id)}`;
        return serveKoha({ ...koha, ...keyOf(koha, place), id, url, prefix: prefixOf(place) }, secretOf(id));
      }),
      ...kohas.slice(KOHAS).map((koha) => ({ ...serveKoha(koha, secretOf(SWEPT)), entry: NIGHTLY })),
    ],
    front: {},
  });
}
