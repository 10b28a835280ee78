import { seededRandom } from '@passport/testkit';
import { scanOf } from './start-stack.ts';
import { KOHAS, prefixOf } from './many-libraries.ts';
import type { Manner } from './kohas-protocol.ts';

/** One scan at the desk of `library`. */
export interface Visit {
  readonly library: string;
  readonly data: ReturnType<typeof scanOf>;
  /** Whether the visitor's home answers as usual. */
  readonly isWell: boolean;
}

/** Who comes to the desks of so many libraries, of which some are in trouble: the same for the same seed. */
export interface Traffic {
  /** How each library's Koha behaves. */
  readonly manners: Readonly<Record<string, Manner>>;
  /** Libraries that are paused as home libraries. */
  readonly paused: readonly string[];
  next(): Visit;
  /** A visitor of a library in no trouble at this one. */
  nextAt(library: string): Visit;
}

/** Of a hundred libraries two are slow, one hangs up, one never answers and one is paused; the others take 20 to 150 ms. */
const TROUBLE: Readonly<Record<number, Manner | 'paused'>> = {
  7: 1_000,
  17: 'away',
  27: 'silent',
  37: 'paused',
  57: 1_000,
};
const LEAST_MS = 20;
const MOST_MS = 150;
/** Of all scans: visitors who have no copy yet, visitors who have one, and the rest are cards that no library knows. */
const NEW = 0.5;
const KNOWN = 0.75;
/** A visitor comes back when so many have come since: the first visit has ended by then. */
const SINCE = 2_000;

/** What the stand-ins must have for so many events that come to all libraries alike, beside one patron and item for each library. */
export function sizeOf(
  libraries: number,
  events: number,
): { readonly patrons: number; readonly items: number } {
  const [patrons, items] = [(NEW * events) / libraries, events / KOHAS];
  const withMargin = (mean: number): number => Math.ceil(mean + 8 * Math.sqrt(mean)) + 10;
  return { patrons: withMargin(patrons), items: libraries + withMargin(items) };
}

export const idOf = (place: number): string => `library-${place}`;

/** Builds it for libraries whose first patron and first items were used already (`scanAll`). */
export function buildTraffic(libraries: number, seed: number): Traffic {
  const random = seededRandom(seed);
  const places = Array.from({ length: libraries }, (_, place) => place);
  const troubleOf = (place: number): Manner | 'paused' | undefined => TROUBLE[place % 100];
  const well = places.filter((place) => troubleOf(place) === undefined);
  const patrons = places.map(() => 1);
  const items = Array.from({ length: KOHAS }, () => libraries);
  const past: { readonly lending: number; readonly home: number; readonly patron: number }[] = [];
  let unknown = 0;

  const visit = (lending: number, home: number, patron: number): Visit => {
    const koha = lending % KOHAS;
    const item = items[koha] ?? 0;
    items[koha] = item + 1;
    return {
      library: idOf(lending),
      data: scanOf(patron, prefixOf(home), item),
      isWell: troubleOf(home) === undefined,
    };
  };
  const first = (lending: number, homes: readonly number[]): Visit => {
    // Whom the same stand-in has as its own patron is no visitor there.
    const others = homes.filter((home) => home % KOHAS !== lending % KOHAS);
    const home = random.pick(others);
    const patron = patrons[home] ?? 0;
    patrons[home] = patron + 1;
    if (troubleOf(home) === undefined) past.push({ lending, home, patron });
    return visit(lending, home, patron);
  };
  return {
    manners: Object.fromEntries(
      places.map((place) => {
        const trouble = troubleOf(place);
        const usual = LEAST_MS + random.int(MOST_MS - LEAST_MS);
        return [idOf(place), trouble === undefined || trouble === 'paused' ? usual : trouble];
      }),
    ),
    paused: places.filter((place) => troubleOf(place) === 'paused').map(idOf),
    next() {
      const kind = random.next();
      const lending = random.pick(well);
      if (kind < NEW) return first(lending, places);
      const known = past[random.int(Math.max(1, past.length - SINCE))];
      if (kind < KNOWN && past.length > SINCE && known !== undefined)
        return visit(known.lending, known.home, known.patron);
      unknown += 1;
      return visit(lending, random.pick(well), 500_000_000 + unknown);
    },
    nextAt: (library) =>
      first(
        places.findIndex((place) => idOf(place) === library),
        well,
      ),
  };
}
