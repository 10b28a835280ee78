import type { Credentials } from './api-user.ts';
import { buildSeed, numberedWith } from './build-seed.ts';
import type { SeedName } from './seed-name.ts';
import type { SeedData, SeedPatron } from './seed-data.ts';

/** Cards of midland patrons that lakeside has given to others, by their place in midland. */
const sharedPlaces = [40, 81, 122, 165, 200, 241];

const midlandCard = numberedWith('21234');
const riversideCard = numberedWith('25678');

/** Card numbers that two of the demo's libraries, midland and lakeside, both have. */
export const twoHomesCards: readonly string[] = sharedPlaces.map((place) => midlandCard(place));

/** The data of one demo library: the same people on every start. */
export function demoSeed(name: SeedName, credentials: Credentials): SeedData {
  switch (name) {
    case 'midland':
      return buildSeed({
        library: name,
        credentials,
        name: 'Midland',
        card: midlandCard,
        extraPatrons: plain(),
      });
    case 'riverside':
      return buildSeed({
        library: name,
        credentials,
        name: 'Riverside',
        card: riversideCard,
        barcode: numberedWith('38888'),
      });
    case 'lakeside':
      return buildSeed({
        library: name,
        credentials,
        name: 'Lakeside',
        card: lakesideCard,
        barcode: (index) => `LB${String(index * 7 + 100).padStart(7, '0')}`,
      });
    default:
      return name satisfies never;
  }
}

/** Lakeside grew out of several small libraries, each with its own idea of a card number. */
function lakesideCard(index: number): string {
  const shared = twoHomesCards[index / 10];
  if (index % 10 === 0 && shared !== undefined) return shared;
  const number = index * 11 + 1003;
  switch (index % 4) {
    case 0:
      return `L-${number}`;
    case 1:
      return `LK${String(number).padStart(7, '0')}`;
    case 2:
      return `lake.${number}`;
    default:
      return `7${String(number).padStart(6, '0')}`;
  }
}

/** Whoever has a card of two homes is plainly eligible: only the double home stands in the way. */
function plain(): SeedPatron[] {
  return twoHomesCards.map((cardnumber) => ({
    cardnumber,
    category_id: 'AD',
    date_of_birth: '1980-05-17',
    relationship_type: null,
    expiry_date: '2037-05-31',
    debarred: null,
    patron_card_lost: false,
    incorrect_address: false,
    account_balance: 0,
  }));
}
