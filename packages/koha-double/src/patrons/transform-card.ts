import type { Double } from '../double.ts';

/**
 * What another plugin's `patron_barcode_transform` makes of a card: the setting `card_prefix` before each that lacks it. Koha calls
 * it before it looks a scanned card up, and on every save (`Koha/Patron.pm`, `store`), so that what is stored may not be what
 * was sent. A query through the API is not changed.
 */
export function transformCard({ settings }: Double, card: string): string {
  const { card_prefix: prefix } = settings;
  return card === '' || card.startsWith(prefix) ? card : `${prefix}${card}`;
}
