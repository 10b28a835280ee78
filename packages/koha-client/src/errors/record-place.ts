import type { KohaRefusal } from './answer-body.ts';
import { PATRON_FIELDS } from '../patrons/patron-fields.ts';

/** What else of Koha's objects can be in the way: dates that are none come from imports. */
const OTHERS = `patron_id cardnumber userid expiry_date incorrect_address patron_card_lost item_id library_id category_id checkout_id extended_attributes extended_attribute_id type value anonymized restricted
  expired updated_on last_seen date_enrolled date_renewed acquisition_date replacement_price_date last_checkout_date last_seen_date damaged_date
  lost_date withdrawn_date checked_out_date timestamp due_date checkout_date checkin_date last_renewed_date note_date`;

const FIELDS: ReadonlySet<string> = new Set([
  ...PATRON_FIELDS.map(({ name }) => name),
  ...OTHERS.split(/\s+/),
]);

/** A place in the body of an answer, made of nothing but numbers and names of Koha's own fields: it says nothing of the record. */
export const isRecordPlace = (path: string): boolean =>
  path.startsWith('/body/') && segmentsOf(path).every((name) => /^\d{1,4}$/.test(name) || FIELDS.has(name));

/**
 * Whether Koha has built an answer that its own description does not allow (`Mojolicious/Plugin/OpenAPI.pm`, `_render`): a value of
 * one record is the reason, and the whole answer is lost for it.
 */
export function isUnreadable(status: number, refusal: KohaRefusal | null): boolean {
  const misfits = refusal?.misfits ?? [];
  return status === 500 && misfits.length > 0 && misfits.every(({ path }) => /^\/body(?:\/|$)/.test(path));
}

/** The field that such an answer names first; null where it is none that is known. */
export function fieldIn({ misfits }: KohaRefusal): string | null {
  const name = segmentsOf(misfits[0]?.path ?? '').at(-1) ?? '';
  return FIELDS.has(name) ? name : null;
}

const segmentsOf = (path: string): string[] => path.split('/').slice(2);
