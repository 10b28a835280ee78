import { makeHousehold, type Household, type Member } from './people.ts';
import { Random } from './random.ts';
import type { SeedPatron } from './seed-data.ts';

/** How a library's patrons are to be made. */
export interface PatronPlan {
  readonly library: string;
  readonly town: string;
  readonly count: number;
  readonly branches: readonly string[];
  /** The card number of the n-th patron, from 0. */
  card(index: number): string;
}

/** What is the matter with a patron; most are plain. */
type Trait =
  'plain' | 'expired' | 'restricted' | 'lost_card' | 'unconfirmed' | 'small_debt' | 'big_debt' | 'staff';

const traits: Readonly<Record<number, Trait>> = {
  3: 'expired',
  7: 'restricted',
  11: 'lost_card',
  13: 'unconfirmed',
  16: 'small_debt',
  17: 'big_debt',
  19: 'staff',
};

/** Deterministic patrons: households one after the other, with a trait at fixed places of every twenty. */
export function makePatrons(plan: PatronPlan): SeedPatron[] {
  const random = new Random(`patrons of ${plan.library}`);
  const patrons: SeedPatron[] = [];
  while (patrons.length < plan.count) {
    const household = makeHousehold(random, plan.town);
    const branch = random.pick(plan.branches);
    for (const member of household.members) {
      if (patrons.length === plan.count) break;
      patrons.push(makePatron(random, plan, { household, member, branch, index: patrons.length }));
    }
  }
  return patrons;
}

interface Place {
  readonly household: Household;
  readonly member: Member;
  readonly branch: string;
  readonly index: number;
}

function makePatron(random: Random, plan: PatronPlan, place: Place): SeedPatron {
  const { household, member, index } = place;
  const trait = member.isChild ? 'plain' : (traits[index % 20] ?? 'plain');
  return {
    cardnumber: plan.card(index),
    surname: household.surname,
    firstname: member.firstname,
    middle_name: random.chance(0.1) ? random.pick(household.culture.women) : null,
    gender: member.gender,
    date_of_birth: member.date_of_birth,
    ...household.home,
    email: member.isChild ? null : mailOf(random, household, plan.library, index),
    mobile: random.chance(0.6) ? `+44 7700 900${String(random.between(0, 999)).padStart(3, '0')}` : null,
    library_id: place.branch,
    category_id: categoryOf(member, trait),
    relationship_type: member.isChild ? 'parent' : null,
    date_enrolled: `20${random.between(12, 24)}-0${random.between(1, 9)}-15`,
    expiry_date: `203${random.between(6, 8)}-1${random.between(0, 2)}-0${random.between(1, 9)}`,
    staff_notes: random.chance(0.08) ? 'Interested in the reading group.' : null,
    ...hiddenColumns(random),
    ...columnsOf(random, trait),
  };
}

function categoryOf(member: Member, trait: Trait): string {
  if (member.isChild) return 'CH';
  return trait === 'staff' ? 'STAFF' : 'AD';
}

function mailOf(random: Random, household: Household, library: string, index: number): string {
  return `${random.pick(household.culture.mailNames)}.${index}@post.${library}.example`;
}

/** What Koha keeps and its API never shows; nothing of it may ever leave. */
function hiddenColumns(random: Random): Readonly<Record<string, unknown>> {
  const letters = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const hash = Array.from({ length: 53 }, () => letters[random.between(0, letters.length - 1)]).join('');
  return { password: `$2a$08$${hash}`, flags: 0, secret: null, auth_method: 'password', contactname: null };
}

function columnsOf(random: Random, trait: Trait): Readonly<Record<string, unknown>> {
  switch (trait) {
    case 'expired':
      return { expiry_date: `20${random.between(18, 23)}-06-30` };
    case 'restricted':
      return { debarred: '9999-12-31', debarredcomment: 'Returned a film without the film.' };
    case 'lost_card':
      return { patron_card_lost: true };
    case 'unconfirmed':
      return { incorrect_address: true };
    case 'small_debt':
      return { account_balance: random.between(1, 4) };
    case 'big_debt':
      return { account_balance: random.between(30, 90) };
    case 'staff':
      return { flags: 4 };
    case 'plain':
      return random.chance(0.05) ? { debarred: '2020-01-31', debarredcomment: 'Long over.' } : {};
    default:
      return trait satisfies never;
  }
}
