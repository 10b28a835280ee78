import { type OwedRow, readOwedByHome } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** What a patron owed at a place when it was read last. */
export type OwedThere = Pick<OwedRow, 'overdues' | 'amount' | 'restricted'> & { readonly readMs: number };

/** Adds to each place what the patron owes there; null where nothing is known. */
export async function withOwed<P extends { readonly homeKey: string; readonly lending: string }>(
  places: readonly P[],
  redis: Redis,
): Promise<(P & { readonly owed: OwedThere | null })[]> {
  const lenders = [...new Set(places.map(({ lending }) => lending))];
  const readings = new Map(
    await Promise.all(lenders.map(async (id) => [id, await readOwedByHome(redis, id)] as const)),
  );
  return places.map((place) => {
    const [home = ''] = place.homeKey.split(':');
    const reading = readings.get(place.lending)?.get(home);
    const row = reading?.rows[place.homeKey];
    if (reading === undefined || row === undefined) return { ...place, owed: null };
    const { overdues, amount, restricted } = row;
    return { ...place, owed: { overdues, amount, restricted, readMs: reading.read_ms } };
  });
}
