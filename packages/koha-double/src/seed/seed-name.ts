/** The demo's three libraries, each with data of its own. */
export const seedNames = ['midland', 'riverside', 'lakeside'] as const;
export type SeedName = (typeof seedNames)[number];

export function isSeedName(value: unknown): value is SeedName {
  return seedNames.some((name) => name === value);
}
