import type { Random } from './random.ts';
import { asianCultures } from './words/asian-cultures.ts';
import type { Culture } from './words/culture.ts';
import { easternCultures } from './words/eastern-cultures.ts';
import { latinCultures } from './words/latin-cultures.ts';

/** People who live at one address. */
export interface Household {
  readonly culture: Culture;
  readonly surname: string;
  readonly home: Home;
  readonly members: readonly Member[];
}

export interface Home {
  readonly street_number: string;
  readonly address: string;
  readonly address2: string | null;
  readonly city: string;
  readonly postal_code: string;
  readonly country: string;
  readonly phone: string;
}

export interface Member {
  readonly firstname: string;
  readonly gender: 'F' | 'M';
  readonly date_of_birth: string;
  readonly isChild: boolean;
}

const cultures = [...latinCultures, ...easternCultures, ...asianCultures];
const localCulture = latinCultures[0];

/** A family or a single person, with one address and a phone that they share. */
export function makeHousehold(random: Random, town: string): Household {
  const culture = random.pick(cultures);
  const adults = random.chance(0.55) ? 2 : 1;
  const children = random.chance(0.35) ? random.between(1, 3) : 0;
  const members = [
    ...Array.from({ length: adults }, () => makeMember(random, culture, false)),
    ...Array.from({ length: children }, () => makeMember(random, culture, true)),
  ];
  return { culture, surname: random.pick(culture.surnames), home: makeHome(random, culture, town), members };
}

function makeMember(random: Random, culture: Culture, isChild: boolean): Member {
  const gender = random.chance(0.5) ? 'F' : 'M';
  const year = isChild ? random.between(2014, 2021) : random.between(1938, 2003);
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    firstname: random.pick(gender === 'F' ? culture.women : culture.men),
    gender,
    date_of_birth: `${year}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`,
    isChild,
  };
}

/** Some write their address in their own script, as they brought it; most live in the library's town. */
function makeHome(random: Random, culture: Culture, town: string): Home {
  const isLocal = random.chance(0.6);
  const streets = isLocal ? (localCulture?.streets ?? culture.streets) : culture.streets;
  return {
    street_number: `${random.between(1, 180)}${random.chance(0.15) ? random.pick(['a', 'b', '/3', ' bis']) : ''}`,
    address: random.pick(streets),
    address2: random.chance(0.2) ? `${random.pick(['Flat', 'Apt.', 'c/o'])} ${random.between(1, 40)}` : null,
    city: isLocal ? town : culture.city,
    postal_code: String(random.between(10_000, 99_999)),
    country: isLocal ? 'United Kingdom' : culture.country,
    phone: `+44 1632 96${String(random.between(0, 9999)).padStart(4, '0')}`,
  };
}
