import type { Credentials } from './api-user.ts';
import { emptySeed } from './empty-seed.ts';
import type { SeedData } from './seed-data.ts';

export const seedNames = ['midland', 'riverside', 'lakeside'] as const;
export type SeedName = (typeof seedNames)[number];

/** What a double may be filled with. */
export type SeedChoice = 'empty' | SeedName | SeedData;

export function isSeedName(value: unknown): value is SeedName {
  return seedNames.some((name) => name === value);
}

/** The data of a choice. The names seed one demo library each. */
export function resolveSeed(choice: SeedChoice, _library: string, credentials: Credentials): SeedData {
  if (choice === 'empty') return emptySeed(credentials);
  if (typeof choice === 'string') return emptySeed(credentials);
  return choice;
}
