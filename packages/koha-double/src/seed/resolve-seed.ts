import type { Credentials } from './api-user.ts';
import { demoSeed } from './demo-seeds.ts';
import { emptySeed } from './empty-seed.ts';
import type { SeedName } from './seed-name.ts';
import type { SeedData } from './seed-data.ts';

/** What a double may be filled with. */
export type SeedChoice = 'empty' | SeedName | SeedData;

/** The data of a choice. The names seed one demo library each. */
export function resolveSeed(choice: SeedChoice, credentials: Credentials): SeedData {
  if (choice === 'empty') return emptySeed(credentials);
  if (typeof choice === 'string') return demoSeed(choice, credentials);
  return choice;
}
