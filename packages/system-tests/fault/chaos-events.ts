import type { KohaDouble } from '@passport/koha-double';
import { type SeededRandom, type SignedRequest, buildScanEvent, signedRequest } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import type { Consortium } from '../harness/start-consortium.ts';

export const LIBRARIES = ['midland', 'riverside', 'hillside', 'lakeside'] as const;
export type ChaosLibrary = (typeof LIBRARIES)[number];

/** Beginnings of card numbers; lakeside has no pattern and is queried for every card. */
export const PREFIXES: Readonly<Record<ChaosLibrary, string>> = {
  midland: '21234',
  riverside: '25678',
  hillside: '23456',
  lakeside: '77777',
};

/** What a scanned card is. */
export const CARD_KINDS = [
  'eligible',
  'expired',
  'restricted',
  'lost',
  'unknown',
  'two homes',
  'again',
] as const;
export type CardKind = (typeof CARD_KINDS)[number];

/** One event and what became of its delivery. */
export interface ChaosEvent {
  readonly id: string;
  readonly library: ChaosLibrary;
  readonly kind: CardKind;
  readonly card: string;
  readonly barcode: string | null;
  readonly scannedAtMs: number;
  readonly request: SignedRequest;
  /** The id to follow once it was acknowledged. */
  followId: string | null;
}

const COLUMNS: Readonly<Partial<Record<CardKind, Record<string, unknown>>>> = {
  expired: { expiry_date: '2020-01-01' },
  restricted: { restricted: true },
  lost: { patron_card_lost: true },
};

/** Makes random events of one consortium; with the same seed the same ones. */
export interface EventMaker {
  make(): ChaosEvent;
  /** The same card and item again under another id, as a second scan at the desk. */
  scanAgain(event: ChaosEvent): ChaosEvent;
}

export function createEventMaker(consortium: Consortium<ChaosLibrary>, random: SeededRandom): EventMaker {
  const { doubles, secrets } = consortium;
  const eligible: { readonly card: string; readonly home: ChaosLibrary }[] = [];
  let made = 0;
  const wrap = (event: Omit<ChaosEvent, 'id' | 'request' | 'scannedAtMs' | 'followId'>): ChaosEvent => {
    made += 1;
    const id = `chaos_${made}`;
    const scannedAtMs = Date.now();
    const { library, card, barcode } = event;
    const data = { cardnumber: card, item_barcode: barcode };
    const timestamp = new Date(scannedAtMs).toISOString();
    const request = signedRequest({
      secret: secrets[library],
      id,
      body: buildScanEvent(data, { timestamp }),
    });
    return { ...event, id, request, scannedAtMs, followId: null };
  };
  const register = (home: ChaosLibrary, kind: CardKind): string =>
    registerPatron(doubles[home], { prefix: PREFIXES[home], columns: COLUMNS[kind] ?? {} });
  const cardOf = (kind: CardKind, home: ChaosLibrary): string => {
    if (kind === 'unknown') return `${PREFIXES[home]}0000${String(random.int(100_000)).padStart(5, '0')}`;
    const card = register(home, kind);
    if (kind === 'eligible') eligible.push({ card, home });
    if (kind === 'two homes') registerTwin(doubles.lakeside, card);
    return card;
  };
  return {
    make() {
      const library = random.pick(LIBRARIES);
      const kind = random.pick(CARD_KINDS);
      const barcode = random.next() < 0.7 ? shelveBook(doubles[library]) : null;
      const known = eligible.filter(({ home }) => home !== library).slice(-200);
      if (kind === 'again' && known.length > 0) {
        return wrap({ library, kind, card: random.pick(known).card, barcode });
      }
      const others = LIBRARIES.filter((each) => each !== library);
      const homes = kind === 'two homes' ? others.filter((each) => each !== 'lakeside') : others;
      const wanted = kind === 'again' ? 'eligible' : kind;
      return wrap({ library, kind: wanted, card: cardOf(wanted, random.pick(homes)), barcode });
    },
    scanAgain: ({ library, kind, card, barcode }) => wrap({ library, kind, card, barcode }),
  };
}

/** Another person with the same card number at another library. */
function registerTwin(home: KohaDouble, card: string): void {
  home.putPatron(card, {
    surname: `Twin-${card}`,
    firstname: 'Other',
    expiry_date: '2037-12-31',
    category_id: 'AD',
    library_id: 'MAIN',
  });
}
