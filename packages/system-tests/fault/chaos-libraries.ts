export const LIBRARIES = ['midland', 'riverside', 'hillside', 'lakeside'] as const;
export type ChaosLibrary = (typeof LIBRARIES)[number];

/** Beginnings of card numbers; lakeside has no pattern and is queried for every card. */
export const PREFIXES: Readonly<Record<ChaosLibrary, string>> = {
  midland: '21234',
  riverside: '25678',
  hillside: '23456',
  lakeside: '77777',
};
