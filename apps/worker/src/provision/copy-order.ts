import type { Consortium, CopyPolicy, Library } from '@passport/config';
import type { Capabilities, PatronBody, Person } from '@passport/koha-client';
import { type CopyTraits, type PatronCopy, copyCategoriesOf, passportTypes } from '@passport/patron-rules';
import type { Found } from './find-patron.ts';
import { personIn } from './possible-duplicate.ts';
import type { Scan } from './scan.ts';

/** The copy to make, decided to the last field. */
export interface CopyOrder extends CopyTraits {
  readonly lending: string;
  readonly eventId: string;
  /** When the scan began to be worked on: of those who wait to create, the oldest is next. */
  readonly startedMs: number;
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
  readonly home: string;
  readonly branch: string;
  readonly body: PatronBody;
  /** Names of the fields that come from home. */
  readonly fields: readonly string[];
  readonly passportTypes: ReadonlySet<string>;
  readonly onLookAlike: CopyPolicy['onLookAlike'];
  /** Whom to search for at the lending library instead of a copy, or before it is sent; null where its Koha does so, or nobody shall. */
  readonly searchFor: Person | null;
  /** `observe`: nothing may be written. */
  readonly mode: 'copy' | 'observe';
  /**
   * Why to look before anything is sent: an earlier run of this event was about to send the copy, or the service has one on record. Null:
   * neither, as far as is known before the create.
   */
  readonly lookFirst: 'sent' | 'on_record' | null;
}

/** From 25.11 on Koha looks for possible duplicates by itself, but only when a copy is created. */
function isSearched(
  { onLookAlike, mode }: CopyPolicy,
  { confirmNotDuplicate: byItself }: Capabilities,
): boolean {
  const stops = onLookAlike === 'stop' || (onLookAlike === 'koha' && byItself);
  return stops && !(byItself && mode === 'copy');
}

/** A copy of the patron who was found, with all that the lending library says of its copies. */
export const orderCopy = (
  scan: Scan,
  { patron, home }: Found,
  { homeKey, body, fields }: Extract<PatronCopy, { kind: 'copy' }>,
  { copy }: Library,
  { consortium, capabilities }: { readonly consortium: Consortium; readonly capabilities: Capabilities },
): CopyOrder => ({
  lending: scan.lending,
  eventId: scan.eventId,
  startedMs: scan.startedMs,
  home,
  homeKey,
  branch: scan.branch,
  body,
  fields,
  passportTypes: passportTypes(consortium),
  homeKeyAttribute: copy.homeKeyAttribute,
  copyCategories: copyCategoriesOf(copy),
  homeRecord: patron,
  onLookAlike: copy.onLookAlike,
  searchFor: isSearched(copy, capabilities) ? personIn(body) : null,
  mode: copy.mode,
  lookFirst: scan.copyMayBeThere ? 'sent' : null,
});
