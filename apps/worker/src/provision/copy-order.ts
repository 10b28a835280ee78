import type { Consortium, CopyPolicy, Library } from '@passport/config';
import type { Capabilities, PatronBody, Person } from '@passport/koha-client';
import {
  type CarriedRestriction,
  type CopyTraits,
  type PatronCopy,
  carriedFields,
  copyCategoriesOf,
  isOwnCard,
  libraryById,
  passportTypes,
  personToSearch,
} from '@passport/patron-rules';
import type { Found } from './find-patron.ts';
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
  /** Other numbers under which the lending library can know the card. */
  readonly otherCards: readonly string[];
  readonly scanned: string;
  /** Names of the fields that come from home. */
  readonly fields: readonly string[];
  /** Names of all fields that may come from home, those that home has empty too. */
  readonly agreed: readonly string[];
  /** The privacy that the copy has at least; null: any. */
  readonly privacy: number | null;
  /** What the copy is restricted with, since its patron is at home; null: not at all. */
  readonly carried: CarriedRestriction | null;
  readonly passportTypes: ReadonlySet<string>;
  /** Whether the card can be one of the home library's own: a copy that has another gets no other. */
  readonly isOwnCard: () => boolean;
  readonly onLookAlike: CopyPolicy['onLookAlike'];
  /** Whom to search for at the lending library instead of a copy, or before it is sent; null where its Koha does so, or nobody shall. */
  readonly searchFor: Person | null;
  /** The name of the home library, where the desk is shown that who is copied is in good standing there. */
  readonly goodAt: string | null;
  /** `observe`: nothing may be written, as at a library that only observes, and for a test card. */
  readonly mode: 'copy' | 'observe';
  /**
   * Why to look before anything is sent: an earlier run of this event was about to send the copy, the service has one on record, or somebody
   * may be there with another number of the card, of which Koha would not say so. Null: none, as far as is known before the create.
   */
  readonly lookFirst: 'sent' | 'on_record' | 'other_card' | null;
}

/** A copy of the patron who was found, with all that the lending library says of its copies. */
export const orderCopy = (
  scan: Scan,
  { patron, otherCards, home }: Found,
  { homeKey, body, fields, agreed, privacy }: Extract<PatronCopy, { kind: 'copy' }>,
  { copy, standing }: Library,
  {
    consortium,
    capabilities,
    carried,
  }: Pick<CopyOrder, 'carried'> & {
    readonly consortium: Consortium;
    readonly capabilities: Capabilities;
  },
): CopyOrder => ({
  lending: scan.lending,
  eventId: scan.eventId,
  startedMs: scan.startedMs,
  home,
  homeKey,
  branch: scan.branch,
  body,
  otherCards,
  scanned: scan.card,
  fields: carried === null ? fields : [...fields, ...carriedFields(carried)],
  agreed,
  privacy,
  carried,
  passportTypes: passportTypes(consortium),
  isOwnCard: () => isOwnCard(consortium, libraryById(consortium, home), body.cardnumber),
  homeKeyAttribute: copy.homeKeyAttribute,
  copyCategories: copyCategoriesOf(copy),
  homeRecord: patron,
  onLookAlike: copy.onLookAlike,
  searchFor: personToSearch(body, copy, capabilities),
  goodAt: standing === 'off' ? null : libraryById(consortium, home).name,
  mode: scan.interface === 'test' ? 'observe' : copy.mode,
  lookFirst: scan.copyMayBeThere ? 'sent' : otherCards.length > 0 ? 'other_card' : null,
});
