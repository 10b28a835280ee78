import { servicePatron, type Credentials } from './api-user.ts';
import { emptySeed } from './empty-seed.ts';
import type { SeedData, SeedPatron } from './seed-data.ts';
import { makeItems } from './seed-items.ts';
import { makePatrons } from './seed-patrons.ts';

/** A library to be filled. All but the id have defaults. */
export interface SeedPlan {
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

const branches = [
  ['MAIN', 'Main Library'],
  ['NORTH', 'North Branch'],
  ['HARBOUR', 'Harbour Branch'],
  ['MOBILE', 'Mobile Library'],
] as const;

const defaultCount = 400;

/** The set-up of `empty`, with people and books: any number of them, the same on every call. */
export function buildSeed(plan: SeedPlan): SeedData {
  const town = plan.name ?? plan.library;
  const codes = branches.map(([code]) => code);
  const patrons = makePatrons({
    library: plan.library,
    town,
    count: plan.patrons ?? defaultCount,
    branches: codes,
    card: plan.card ?? numberedWith('21234'),
  });
  const items = makeItems({
    library: plan.library,
    count: plan.items ?? defaultCount,
    branches: codes,
    barcode: plan.barcode ?? numberedWith('39999'),
  });
  return {
    ...emptySeed(plan.credentials),
    libraries: branches.map(([library_id, name]) => ({ library_id, name: `${town}: ${name}`, city: town })),
    patrons: [servicePatron(plan.credentials), ...patrons, ...(plan.extraPatrons ?? [])],
    items,
  };
}

/** Numbers of a prefix and nine digits, far enough apart to look issued over years. */
export function numberedWith(prefix: string): (index: number) => string {
  return (index) => prefix + String(index * 37 + 17).padStart(9, '0');
}
