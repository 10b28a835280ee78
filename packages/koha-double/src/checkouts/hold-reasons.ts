import { isRecord } from '../record.ts';
import type { Availability, Wish } from './wish.ts';

/** How a hold of somebody else stands, as Koha's confirm keys name it. */
const holdKeys = ['RESERVED', 'RESERVE_WAITING', 'TRANSFERRED', 'PROCESSING'] as const;

/**
 * Reasons in holds, recalls and bookings of others. They are read from hidden columns of the item: `hold`
 * `{state, patron_id}`, `recall` `{patron_id, in_transit?}`, `booking` `{patron_id, start_date?}`.
 */
export function holdReasons(wish: Wish, found: Availability): void {
  const { hold, recall, booking } = wish.item.hidden;
  const own = wish.patron.patron_id;
  if (isRecord(hold) && hold['patron_id'] !== own) addHold(wish, hold, found);
  if (isRecord(recall)) {
    if (recall['in_transit'] === true) found.blockers['RECALLED_INTRANSIT'] = 1;
    else if (recall['patron_id'] !== own) found.confirms['RECALLED'] = recall['recall_id'] ?? 1;
    else found.warnings['RECALLED'] = recall['recall_id'] ?? 1;
  }
  if (isRecord(booking)) addBooking(wish, booking, found);
}

/** A booking of somebody else blocks while it runs, and has to be confirmed when it begins later. */
function addBooking(wish: Wish, booking: Readonly<Record<string, unknown>>, found: Availability): void {
  const { start_date: start, patron_id } = booking;
  const isLater = typeof start === 'string' && start > wish.double.clock.today();
  if (patron_id === wish.patron.patron_id) {
    if (isLater) found.confirms['BOOKED_EARLY'] = { patron_id, start_date: start };
    return;
  }
  const group = isLater ? found.confirms : found.blockers;
  group['BOOKED_TO_ANOTHER'] = { patron_id: patron_id ?? null, ...(isLater ? { start_date: start } : {}) };
}

function addHold(wish: Wish, hold: Readonly<Record<string, unknown>>, found: Availability): void {
  const state = holdKeys.find((key) => key === hold['state']) ?? 'RESERVED';
  const other = wish.double.db.patrons.get(Number(hold['patron_id']));
  const since = hold['date'] ?? wish.double.clock.today();
  Object.assign(found.confirms, {
    [state]: 1,
    resfirstname: other?.columns.firstname ?? null,
    ressurname: other?.columns.surname ?? null,
    rescardnumber: other?.columns.cardnumber ?? null,
    resborrowernumber: hold['patron_id'] ?? null,
    resbranchcode: other?.columns.library_id ?? null,
    reserve_id: hold['hold_id'] ?? 1,
    [state === 'RESERVE_WAITING' ? 'reswaitingdate' : 'resreservedate']: since,
  });
}
