import { Random } from './random.ts';
import type { SeedItem } from './seed-data.ts';
import { adjectives, names, places, things, titlePatterns } from './words/title-words.ts';

export interface ItemPlan {
  readonly library: string;
  readonly count: number;
  readonly branches: readonly string[];
  /** The barcode of the n-th item, from 0. */
  barcode(index: number): string;
}

/** Deterministic items: mostly books that anybody may borrow, at fixed places one that nobody can. */
export function makeItems(plan: ItemPlan): SeedItem[] {
  const random = new Random(`items of ${plan.library}`);
  return Array.from({ length: plan.count }, (_none, index) => {
    const branch = random.pick(plan.branches);
    return {
      external_id: plan.barcode(index),
      home_library_id: branch,
      holding_library_id: branch,
      item_type_id: index % 12 === 5 ? 'DVD' : 'BK',
      callnumber: `${random.between(100, 999)}.${random.between(1, 99)} ${random.pick(things).slice(0, 3)}`,
      location: random.pick(['FICTION', 'STACKS', 'NEW', 'CHILD']),
      acquisition_date: `20${random.between(10, 24)}-03-01`,
      replacement_price: random.between(8, 60),
      biblio: {
        title: makeTitle(random),
        author: `${random.pick(names)} ${random.pick(places).split(' ')[0]}`,
      },
      ...specialColumns(index),
    };
  });
}

function makeTitle(random: Random): string {
  return random
    .pick(titlePatterns)
    .replace('{adjective}', random.pick(adjectives))
    .replace('{thing}', random.pick(things))
    .replace('{name}', random.pick(names))
    .replace('{place}', random.pick(places));
}

function specialColumns(index: number): Readonly<Record<string, unknown>> {
  switch (index % 40) {
    case 9:
      return { item_type_id: 'REF' };
    case 14:
      return { lost_status: 1 };
    case 19:
      return { withdrawn: 1 };
    case 24:
      return { not_for_loan_status: 1 };
    case 29:
      return { materials_notes: 'Book and 1 map' };
    case 34:
      return { age_restriction: 18 };
    default:
      return {};
  }
}
