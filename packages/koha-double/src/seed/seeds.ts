import { asText } from '../record.ts';
import { makeItems, makePatrons } from './make-rows.ts';
import {
  derivedCredentials,
  servicePatron,
  type Credentials,
  type SeedData,
  type SeedPatron,
} from './seed-data.ts';

/** The demo's three libraries, each with data of its own. */
export const seedNames = ['midland', 'riverside', 'lakeside'] as const;
export type SeedName = (typeof seedNames)[number];

/** What a double may be filled with: a name is that of a demo library. */
export type SeedChoice = 'empty' | SeedName | SeedData;

export function resolveSeed(choice: SeedChoice, credentials: Credentials): SeedData {
  if (choice === 'empty') return emptySeed(credentials);
  return typeof choice === 'string' ? demoSeed(choice, credentials) : choice;
}

/** A Koha that is set up for visitors and holds nobody but the service's user. */
export function emptySeed(credentials: Credentials): SeedData {
  return {
    libraries: [
      { library_id: 'MAIN', name: 'Main Library' },
      { library_id: 'NORTH', name: 'North Branch' },
    ],
    categories: [
      { patron_category_id: 'AD', name: 'Adult', enrolment_period: 24 },
      { patron_category_id: 'CH', name: 'Child', category_type: 'C', can_be_guarantee: true },
      { patron_category_id: 'PT', name: 'Visiting patron' },
      { patron_category_id: 'STAFF', name: 'Staff', category_type: 'S', enrolment_period: 60 },
    ],
    item_types: [
      { item_type_id: 'BK', description: 'Book' },
      { item_type_id: 'DVD', description: 'Film' },
      { item_type_id: 'REF', description: 'Reference work', not_for_loan: true },
    ],
    attribute_types: [
      { code: 'PASSPORTED', description: 'Home library of a visiting patron', display_checkout: true },
      { code: 'PASSPORTED_ID', description: 'Home key of a visiting patron', unique_id: true },
      { code: 'INTEREST', description: 'What the patron likes to hear about', repeatable: true },
    ],
    circulation_rules: [
      { rule: 'maxissueqty', value: '50' },
      { rule: 'maxissueqty', value: '20', patron_category_id: 'PT' },
      { rule: 'issuelength', value: '21' },
      { rule: 'issuelength', value: '14', patron_category_id: 'PT' },
      { rule: 'renewalsallowed', value: '2' },
    ],
    patrons: [servicePatron(credentials)],
    items: [],
  };
}

/** A library to be filled. All but the id have defaults. */
interface SeedPlan {
  readonly library: string;
  readonly credentials: Credentials;
  readonly name?: string;
  readonly patrons?: number;
  readonly items?: number;
  /** The card number of the n-th patron, from 0; default `21234` and nine digits. */
  readonly card?: (index: number) => string;
  /** The barcode of the n-th item; default `39999` and nine digits. */
  readonly barcode?: (index: number) => string;
  /** More patrons, or other columns for a card that is there already. */
  readonly extraPatrons?: readonly SeedPatron[];
}

const branches = {
  MAIN: 'Main Library',
  NORTH: 'North Branch',
  HARBOUR: 'Harbour Branch',
  MOBILE: 'Mobile Library',
};

/** The set-up of `empty`, with people and books: any number of them, the same on every call. */
export function buildSeed({ library, credentials, name: town = library, ...plan }: SeedPlan): SeedData {
  const rows = {
    library,
    town,
    branches: Object.keys(branches),
    patrons: plan.patrons ?? 400,
    items: plan.items ?? 400,
    card: plan.card ?? numberedWith('21234'),
    barcode: plan.barcode ?? numberedWith('39999'),
  };
  return {
    ...emptySeed(credentials),
    libraries: Object.entries(branches).map(([library_id, name]) => ({
      library_id,
      name: `${town}: ${name}`,
      city: town,
    })),
    patrons: [servicePatron(credentials), ...makePatrons(rows), ...(plan.extraPatrons ?? [])],
    items: makeItems(rows),
  };
}

/** Numbers of a prefix and nine digits, far enough apart to look issued over years. */
function numberedWith(prefix: string): (index: number) => string {
  return (index) => prefix + String(index * 37 + 17).padStart(9, '0');
}

/** Card numbers that two of the demo's libraries, midland and lakeside, both have, by their place in midland. */
const twoHomesCards: readonly string[] = [40, 81, 122, 165, 200, 241].map(numberedWith('21234'));

/** Whoever has a card of two homes is plainly eligible: only the double home stands in the way. */
const eligible = {
  category_id: 'AD',
  date_of_birth: '1980-05-17',
  relationship_type: null,
  expiry_date: '2037-05-31',
  debarred: null,
  patron_card_lost: false,
  incorrect_address: false,
  account_balance: 0,
};

const demoPlans: Readonly<Record<SeedName, Omit<SeedPlan, 'library' | 'credentials'>>> = {
  midland: {
    name: 'Midland',
    extraPatrons: twoHomesCards.map((cardnumber) => ({ cardnumber, ...eligible })),
  },
  riverside: { name: 'Riverside', card: numberedWith('25678'), barcode: numberedWith('38888') },
  lakeside: {
    name: 'Lakeside',
    card: lakesideCard,
    barcode: (index) => `LB${String(index * 7 + 100).padStart(7, '0')}`,
  },
};

/** The data of one demo library: the same people on every start. */
export const demoSeed = (library: SeedName, credentials: Credentials): SeedData =>
  buildSeed({ library, credentials, ...demoPlans[library] });

/** Lakeside grew out of several small libraries, each with its own idea of a card number. */
function lakesideCard(index: number): string {
  const shared = twoHomesCards[index / 10];
  if (index % 10 === 0 && shared !== undefined) return shared;
  const number = index * 11 + 1003;
  const kinds = [
    `L-${number}`,
    `LK${String(number).padStart(7, '0')}`,
    `lake.${number}`,
    `7${String(number).padStart(6, '0')}`,
  ];
  return kinds[index % kinds.length] ?? '';
}

/** Card numbers and barcodes to try things with, by what they are good for. */
export interface Samples {
  /** Adults whom nothing stands against. */
  readonly eligible: readonly string[];
  readonly expired: readonly string[];
  readonly restricted: readonly string[];
  readonly card_lost: readonly string[];
  readonly address_unconfirmed: readonly string[];
  /** They owe more than 25. */
  readonly debt: readonly string[];
  readonly children: readonly string[];
  readonly staff: readonly string[];
  /** Cards that midland and lakeside both have; none for any other library. */
  readonly two_homes: readonly string[];
  /** Barcodes that anybody may borrow. */
  readonly items: readonly string[];
}

const itemStates = ['lost_status', 'withdrawn', 'not_for_loan_status', 'materials_notes', 'age_restriction'];

/** The samples of a demo library's seed. */
export function demoSamples(library: SeedName): Samples {
  const samples = samplesOf(demoSeed(library, derivedCredentials(library)));
  return { ...samples, two_homes: library === 'riverside' ? [] : twoHomesCards };
}

/** The samples of any generated seed. Cards that two libraries have are left out. */
export function samplesOf(seed: SeedData): Samples {
  const people = seed.patrons.filter(
    (patron) => patron['api_keys'] === undefined && !twoHomesCards.includes(patron.cardnumber),
  );
  const cards = (fits: (patron: SeedPatron) => boolean): string[] =>
    people.filter(fits).map((patron) => patron.cardnumber);
  const debtOf = (patron: SeedPatron): number => Number(patron['account_balance'] ?? 0);
  const isPast = (patron: SeedPatron): boolean => asText(patron['expiry_date']) < '2025';
  const isRestricted = (patron: SeedPatron): boolean => patron['debarred'] === '9999-12-31';
  const isLost = (patron: SeedPatron): boolean => patron['patron_card_lost'] === true;
  const isUnconfirmed = (patron: SeedPatron): boolean => patron['incorrect_address'] === true;
  const faults = [isPast, isRestricted, isLost, isUnconfirmed, debtOf];
  const clean = (category: string): string[] =>
    cards((patron) => patron['category_id'] === category && !faults.some((fault) => Boolean(fault(patron))));
  return {
    eligible: clean('AD'),
    expired: cards(isPast),
    restricted: cards(isRestricted),
    card_lost: cards(isLost),
    address_unconfirmed: cards(isUnconfirmed),
    debt: cards((patron) => debtOf(patron) > 25),
    children: clean('CH'),
    staff: cards((patron) => patron['category_id'] === 'STAFF'),
    two_homes: [],
    items: seed.items
      .filter(
        (item) => item['item_type_id'] === 'BK' && itemStates.every((state) => item[state] === undefined),
      )
      .map((item) => item.external_id),
  };
}
