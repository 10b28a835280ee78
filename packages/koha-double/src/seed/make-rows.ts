import { readFileSync } from 'node:fs';
import { Random } from './random.ts';
import type { SeedItem, SeedPatron } from './seed-data.ts';

/** A list in `words.json` is one text. */
interface Culture<List> {
  readonly country: string;
  readonly city: string;
  readonly women: List;
  readonly men: List;
  readonly surnames: List;
  /** In the culture's own script. */
  readonly streets: List;
  /** Letters for an e-mail address, where the script is not Latin. */
  readonly mailNames: List;
}

interface Words<List> {
  readonly cultures: readonly Culture<List>[];
  /** From which titles of books that nobody wrote are put together. */
  readonly titles: {
    readonly patterns: readonly string[];
    readonly adjectives: List;
    readonly things: List;
    readonly places: List;
    readonly names: List;
  };
}

/** Words from which people of many cultures and scripts, and their books, are made up; the first culture is that of the libraries. */
const { cultures, titles } = JSON.parse(
  readFileSync(new URL('./words.json', import.meta.url), 'utf8'),
) as Words<string>;

/** A library whose rows are to be made. */
interface RowPlan {
  readonly library: string;
  readonly town: string;
  readonly branches: readonly string[];
  readonly patrons: number;
  readonly items: number;
  /** The card number of the n-th patron, from 0, and the barcode of the n-th item. */
  card(index: number): string;
  barcode(index: number): string;
}

const pickFrom = (random: Random, list: string): string => random.pick(list.split(', '));

interface Member {
  readonly firstname: string;
  readonly gender: 'F' | 'M';
  readonly date_of_birth: string;
  readonly isChild: boolean;
}

/** People who live at one address, with a phone that they share. */
interface Household {
  readonly culture: Culture<string>;
  readonly surname: string;
  readonly home: Readonly<Record<string, string | null>>;
  readonly members: readonly Member[];
}

/** A family or a single person. */
function makeHousehold(random: Random, town: string): Household {
  const culture = random.pick(cultures);
  const adults = random.chance(0.55) ? 2 : 1;
  const children = random.chance(0.35) ? random.between(1, 3) : 0;
  const members = Array.from({ length: adults + children }, (_, place) =>
    makeMember(random, culture, place >= adults),
  );
  return {
    culture,
    surname: pickFrom(random, culture.surnames),
    home: makeHome(random, culture, town),
    members,
  };
}

function makeMember(random: Random, culture: Culture<string>, isChild: boolean): Member {
  const gender = random.chance(0.5) ? 'F' : 'M';
  const year = isChild ? random.between(2014, 2021) : random.between(1938, 2003);
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    firstname: pickFrom(random, gender === 'F' ? culture.women : culture.men),
    gender,
    date_of_birth: `${year}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`,
    isChild,
  };
}

/** Some write their address in their own script, as they brought it; most live in the library's town. */
function makeHome(random: Random, culture: Culture<string>, town: string): Household['home'] {
  const isLocal = random.chance(0.6);
  const { streets, country } = (isLocal ? cultures[0] : undefined) ?? culture;
  return {
    street_number: `${random.between(1, 180)}${random.chance(0.15) ? random.pick(['a', 'b', '/3', ' bis']) : ''}`,
    address: pickFrom(random, streets),
    address2: random.chance(0.2) ? `${random.pick(['Flat', 'Apt.', 'c/o'])} ${random.between(1, 40)}` : null,
    city: isLocal ? town : culture.city,
    postal_code: String(random.between(10_000, 99_999)),
    country,
    phone: `+44 1632 96${String(random.between(0, 9999)).padStart(4, '0')}`,
  };
}

/** What is the matter with an adult at a place of every twenty; most are plain. */
const traits: Readonly<Record<number, (random: Random) => Readonly<Record<string, unknown>>>> = {
  3: (random) => ({ expiry_date: `20${random.between(18, 23)}-06-30` }),
  7: () => ({ debarred: '9999-12-31', debarredcomment: 'Returned a film without the film.' }),
  11: () => ({ patron_card_lost: true }),
  13: () => ({ incorrect_address: true }),
  16: (random) => ({ account_balance: random.between(1, 4) }),
  17: (random) => ({ account_balance: random.between(30, 90) }),
  19: () => ({ category_id: 'STAFF', flags: 4 }),
};

const plain = (random: Random): Readonly<Record<string, unknown>> =>
  random.chance(0.05) ? { debarred: '2020-01-31', debarredcomment: 'Long over.' } : {};

/** Deterministic patrons: households one after the other. */
export function makePatrons(plan: RowPlan): SeedPatron[] {
  const random = new Random(`patrons of ${plan.library}`);
  const patrons: SeedPatron[] = [];
  while (patrons.length < plan.patrons) {
    const household = makeHousehold(random, plan.town);
    const branch = random.pick(plan.branches);
    for (const member of household.members.slice(0, plan.patrons - patrons.length)) {
      patrons.push(makePatron(random, plan, household, member, { branch, index: patrons.length }));
    }
  }
  return patrons;
}

function makePatron(
  random: Random,
  plan: RowPlan,
  { culture, surname, home }: Household,
  { firstname, gender, date_of_birth, isChild }: Member,
  { branch, index }: { readonly branch: string; readonly index: number },
): SeedPatron {
  const traitOf = (isChild ? undefined : traits[index % 20]) ?? plain;
  return {
    cardnumber: plan.card(index),
    surname,
    firstname,
    middle_name: random.chance(0.1) ? pickFrom(random, culture.women) : null,
    gender,
    date_of_birth,
    ...home,
    email: isChild ? null : `${pickFrom(random, culture.mailNames)}.${index}@post.${plan.library}.example`,
    mobile: random.chance(0.6) ? `+44 7700 900${String(random.between(0, 999)).padStart(3, '0')}` : null,
    library_id: branch,
    category_id: isChild ? 'CH' : 'AD',
    relationship_type: isChild ? 'parent' : null,
    date_enrolled: `20${random.between(12, 24)}-0${random.between(1, 9)}-15`,
    expiry_date: `203${random.between(6, 8)}-1${random.between(0, 2)}-0${random.between(1, 9)}`,
    staff_notes: random.chance(0.08) ? 'Interested in the reading group.' : null,
    ...hiddenColumns(random),
    ...traitOf(random),
  };
}

/** What Koha keeps and its API never shows; nothing of it may ever leave. */
function hiddenColumns(random: Random): Readonly<Record<string, unknown>> {
  const letters = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const hash = Array.from({ length: 53 }, () => letters[random.between(0, letters.length - 1)]).join('');
  return { password: `$2a$08$${hash}`, flags: 0, secret: null, auth_method: 'password', contactname: null };
}

/** What is the matter with an item at a place of every forty. */
const itemTraits: Readonly<Record<number, Readonly<Record<string, unknown>>>> = {
  9: { item_type_id: 'REF' },
  14: { lost_status: 1 },
  19: { withdrawn: 1 },
  24: { not_for_loan_status: 1 },
  29: { materials_notes: 'Book and 1 map' },
  34: { age_restriction: 18 },
};

/** Deterministic items: mostly books that anybody may borrow. */
export function makeItems(plan: RowPlan): SeedItem[] {
  const random = new Random(`items of ${plan.library}`);
  const { patterns, adjectives, things, names, places } = titles;
  return Array.from({ length: plan.items }, (_none, index) => {
    const branch = random.pick(plan.branches);
    return {
      external_id: plan.barcode(index),
      home_library_id: branch,
      holding_library_id: branch,
      item_type_id: index % 12 === 5 ? 'DVD' : 'BK',
      callnumber: `${random.between(100, 999)}.${random.between(1, 99)} ${pickFrom(random, things).slice(0, 3)}`,
      location: random.pick(['FICTION', 'STACKS', 'NEW', 'CHILD']),
      acquisition_date: `20${random.between(10, 24)}-03-01`,
      replacement_price: random.between(8, 60),
      biblio: {
        title: random
          .pick(patterns)
          .replace('{adjective}', pickFrom(random, adjectives))
          .replace('{thing}', pickFrom(random, things))
          .replace('{name}', pickFrom(random, names))
          .replace('{place}', pickFrom(random, places)),
        author: `${pickFrom(random, names)} ${pickFrom(random, places).split(' ')[0]}`,
      },
      ...itemTraits[index % 40],
    };
  });
}
