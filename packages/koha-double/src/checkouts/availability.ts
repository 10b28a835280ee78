import { isRecord } from '../record.ts';
import { holdReasons } from './hold-reasons.ts';
import { itemReasons } from './item-reasons.ts';
import { limitReasons } from './limit-reasons.ts';
import { checkoutReasons } from './checkout-reasons.ts';
import { patronReasons } from './patron-reasons.ts';
import type { Availability, Wish } from './wish.ts';

/** What prevents a checkout, without making one. */
export function findAvailability(wish: Wish): Availability {
  const found: Availability = { blockers: {}, confirms: {}, warnings: {} };
  patronReasons(wish, found);
  checkoutReasons(wish, found);
  limitReasons(wish, found);
  itemReasons(wish, found);
  holdReasons(wish, found);
  addScripted(wish.patron.hidden['circulation_extra'], found);
  addScripted(wish.item.hidden['circulation_extra'], found);
  return found;
}

/** Any further key that a test wants Koha to name, from the hidden column `circulation_extra`. */
function addScripted(extra: unknown, found: Availability): void {
  if (!isRecord(extra)) return;
  for (const group of ['blockers', 'confirms', 'warnings'] as const) {
    const keys = extra[group];
    if (isRecord(keys)) Object.assign(found[group], keys);
  }
}
