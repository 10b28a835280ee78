import { asText } from '../record.ts';
import { derivedCredentials } from './api-user.ts';
import { demoSeed, twoHomesCards } from './demo-seeds.ts';
import type { SeedName } from './seed-name.ts';
import type { SeedData, SeedPatron } from './seed-data.ts';

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
  const seed = demoSeed(library, derivedCredentials(library));
  const samples = samplesOf(seed);
  return { ...samples, two_homes: library === 'riverside' ? [] : twoHomesCards };
}

/** The samples of any generated seed. Cards that two libraries have are left out. */
export function samplesOf(seed: SeedData): Samples {
  const people = seed.patrons.filter(
    (patron) => patron['api_keys'] === undefined && !twoHomesCards.includes(patron.cardnumber),
  );
  const cards = (fits: (patron: SeedPatron) => boolean): string[] =>
    people.filter(fits).map((patron) => patron.cardnumber);
  return {
    eligible: cards((patron) => patron['category_id'] === 'AD' && isClean(patron)),
    expired: cards(isPast),
    restricted: cards(isRestricted),
    card_lost: cards((patron) => patron['patron_card_lost'] === true),
    address_unconfirmed: cards((patron) => patron['incorrect_address'] === true),
    debt: cards((patron) => Number(patron['account_balance'] ?? 0) > 25),
    children: cards((patron) => patron['category_id'] === 'CH' && isClean(patron)),
    staff: cards((patron) => patron['category_id'] === 'STAFF'),
    two_homes: [],
    items: seed.items
      .filter(
        (item) => item['item_type_id'] === 'BK' && itemStates.every((state) => item[state] === undefined),
      )
      .map((item) => item.external_id),
  };
}

function isPast(patron: SeedPatron): boolean {
  return asText(patron['expiry_date']) < '2025';
}

function isRestricted(patron: SeedPatron): boolean {
  return patron['debarred'] === '9999-12-31';
}

function isClean(patron: SeedPatron): boolean {
  return (
    !isPast(patron) &&
    !isRestricted(patron) &&
    patron['patron_card_lost'] !== true &&
    patron['incorrect_address'] !== true &&
    Number(patron['account_balance'] ?? 0) === 0
  );
}
