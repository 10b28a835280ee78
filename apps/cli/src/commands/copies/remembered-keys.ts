import type { CallOptions } from '@passport/koha-client';
import type { OpenKoha } from '../../connect/koha-clients.ts';

/**
 * Whose numbers the service has written into, by what the plugin remembers, and under which home key. A record that Koha merged a copy
 * into has the copy's passport and home key, and can be the library's own patron: only this distinguishes it from a copy. Null where the
 * Koha has no plugin that can say. Throws KohaError.
 */
export async function rememberedKeys(
  koha: OpenKoha,
  patronIds: readonly number[],
  limits: CallOptions,
): Promise<ReadonlyMap<number, string> | null> {
  if (patronIds.length === 0) return new Map();
  const range = {
    after: Math.min(...patronIds) - 1,
    upTo: Math.max(...patronIds),
    wanted: patronIds.toSorted((one, other) => one - other),
  };
  const rows = await koha.readRememberedCopies(range, limits);
  return rows === null ? null : new Map(rows.map(({ patronId, homeKey }) => [patronId, homeKey]));
}
