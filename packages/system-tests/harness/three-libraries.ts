import type { LibraryPlan } from './start-consortium.ts';

/** A consortium of three: two libraries with patterns, one that is queried for every card. */
export const threeLibraries = {
  midland: { cards: ['^21234\\d{9}$'] },
  riverside: { cards: ['^25678\\d{9}$'] },
  lakeside: {},
} as const satisfies Readonly<Record<string, LibraryPlan>>;
