import type { KohaDouble } from '@passport/koha-double';
import { type SeededRandom, type SignedRequest, buildScanEvent, signedRequest } from '@passport/testkit';
import { shelveBook } from '../harness/people.ts';
import type { Consortium } from '../harness/start-consortium.ts';
import { type ChaosLibrary, LIBRARIES, PREFIXES } from './chaos-libraries.ts';
import { type ChaosPerson, personOf, registerPerson } from './chaos-people.ts';

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

/** One event and the outcome of its delivery. */
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
  /** Whose card it is; null: nobody's. */
  readonly person: ChaosPerson | null;
  /** What the patron is going to say when they are asked. */
  readonly answer: 'yes' | 'no' | 'never';
  /** What they said, when it was sent first, and when the receiver had it. */
  expected: 'yes' | 'no' | null;
  saidAtMs: number | null;
  heardAtMs: number | null;
}

type Scanned = Pick<ChaosEvent, 'library' | 'kind' | 'card' | 'barcode' | 'person'>;

const COLUMNS: Readonly<Partial<Record<CardKind, Record<string, unknown>>>> = {
  expired: { expiry_date: '2020-01-01' },
  restricted: { restricted: true },
  lost: { patron_card_lost: true },
};

/** Makes random events of one consortium; with the same seed the same ones. */
export interface EventMaker {
  /** Everybody who has a home, and those of them whose records may be changed. */
  readonly everybody: readonly ChaosPerson[];
  readonly eligible: readonly ChaosPerson[];
  make(): ChaosEvent;
  /** The same card and item again under another id, as a second scan at the desk. */
  scanAgain(event: ChaosEvent): ChaosEvent;
}

export function createEventMaker(consortium: Consortium<ChaosLibrary>, random: SeededRandom): EventMaker {
  const { doubles, secrets } = consortium;
  const everybody: ChaosPerson[] = [];
  const eligible: ChaosPerson[] = [];
  let made = 0;
  const wrap = (event: Scanned): ChaosEvent => {
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
    const chance = random.next();
    const answer = chance < 0.85 ? 'yes' : chance < 0.95 ? 'no' : 'never';
    const unasked = { answer, expected: null, saidAtMs: null, heardAtMs: null } as const;
    return { ...event, ...unasked, id, request, scannedAtMs, followId: null };
  };
  const whoIs = (kind: CardKind, home: ChaosLibrary): Pick<Scanned, 'card' | 'person'> => {
    if (kind === 'unknown') {
      return { card: `${PREFIXES[home]}0000${String(random.int(100_000)).padStart(5, '0')}`, person: null };
    }
    const person = registerPerson(consortium, home, COLUMNS[kind]);
    const [card = ''] = person.cards;
    everybody.push(person);
    if (kind === 'eligible') eligible.push(person);
    if (kind === 'two homes') everybody.push(registerTwin(doubles.lakeside, card));
    return { card, person };
  };
  return {
    everybody,
    eligible,
    make() {
      const library = random.pick(LIBRARIES);
      const kind = random.pick(CARD_KINDS);
      const barcode = random.next() < 0.7 ? shelveBook(doubles[library]) : null;
      const known = eligible.filter(({ home }) => home !== library).slice(-200);
      if (kind === 'again' && known.length > 0) {
        const person = random.pick(known);
        return wrap({ library, kind, card: person.cards.at(-1) ?? '', person, barcode });
      }
      const others = LIBRARIES.filter((each) => each !== library);
      const homes = kind === 'two homes' ? others.filter((each) => each !== 'lakeside') : others;
      const wanted = kind === 'again' ? 'eligible' : kind;
      return wrap({ library, kind: wanted, ...whoIs(wanted, random.pick(homes)), barcode });
    },
    scanAgain: ({ library, kind, card, person, barcode }) => wrap({ library, kind, card, person, barcode }),
  };
}

/** Another person with the same card number at another library. */
function registerTwin(home: KohaDouble, card: string): ChaosPerson {
  const row = home.putPatron(card, {
    surname: `Twin-${card}`,
    firstname: 'Other',
    expiry_date: '2037-12-31',
    category_id: 'AD',
    library_id: 'MAIN',
  });
  return personOf('lakeside', card, row);
}
