import { probeAttributeTypeByRefusal } from './attribute-type-probe.ts';
import { addAttribute, removeAttribute } from './attribute-writes.ts';
import type { AttributeAddition } from './attribute-writes.ts';
import type { Capabilities } from './capabilities.ts';
import { changeAttribute } from './change-attribute.ts';
import type { AttributeChange } from './change-attribute.ts';
import { changePatron } from './change-patron.ts';
import type { ChangeResult, PatronChange } from './change-patron.ts';
import { availability, checkOut } from './check-out.ts';
import type { Availability, CheckoutResult, CheckoutWish } from './check-out.ts';
import { deleteCopy, readDeletionFacts } from './copy-deletions.ts';
import type { DeletionFacts, DeletionResult } from './copy-deletions.ts';
import { createPatron } from './create-patron.ts';
import type { CreateResult, PatronBody } from './create-patron.ts';
import { createDescriptionKeeper } from './description.ts';
import { findItem, findCheckout } from './find-item.ts';
import { findByAttribute, findByCard, isAttributeTaken, isCardTaken, readPatron } from './find-patrons.ts';
import type { Wanted } from './find-patrons.ts';
import { knowsApiKey } from './knows-api-key.ts';
import { listPages, readCopies } from './list-copies.ts';
import type { CopiesWanted } from './list-copies.ts';
import { readOwed } from './owed.ts';
import type { OwedPage } from './owed.ts';
import type { PagePart, PatronPage } from './patron-page.ts';
import type { KohaPatron } from './patron.ts';
import { checkPlugin, readAbout, reportOutcome } from './plugin-routes.ts';
import type { PluginAbout, PluginCheck } from './plugin-routes.ts';
import { readReach } from './reach.ts';
import type { Reach } from './reach.ts';
import { readPatrons } from './read-patrons.ts';
import { readRememberedCopies, rememberCopy } from './remembered-copies.ts';
import type { CopyMemoryRow, RememberResult, RememberedCopy, RememberedRange } from './remembered-copies.ts';
import { liftRestriction, listRestrictions, setRestriction } from './restrictions.ts';
import type { KohaRestriction, RestrictionKind, RestrictionResult } from './restrictions.ts';
import { hasPossibleDuplicate } from './possible-duplicate.ts';
import type { Person } from './possible-duplicate.ts';
import { createSession } from './session.ts';
import type { CallOptions, SessionOptions } from './session.ts';
import { readBranches, readCategories, readCirculationRules } from './set-up-reads.ts';
import type { CirculationRules, KohaBranch, KohaCategory } from './set-up-reads.ts';
import { readStoredRules } from './stored-rules.ts';
import type { StoredRule } from './stored-rules.ts';
import { createTransport } from './transport.ts';
import type { TransportOptions } from './transport.ts';
import { readVisiblePatrons } from './visible-patrons.ts';
import type { VisiblePatrons } from './visible-patrons.ts';

/** One library's Koha, in Koha's words. Every method throws KohaError when it gets no usable answer, and nothing else. */
export interface KohaClient {
  readonly library: string;
  findByCard(card: string, wanted: Wanted, options?: CallOptions): Promise<KohaPatron[]>;
  findByAttribute(type: string, value: string, options?: CallOptions): Promise<KohaPatron[]>;
  readPatron(patronId: number, options?: CallOptions): Promise<KohaPatron | null>;
  /** Pages of the patrons with an attribute that begins so, each under its own deadline. */
  listCopies(of: CopiesWanted, options?: CallOptions): AsyncGenerator<PatronPage, void, undefined>;
  /** One part of that list in one call, for `listPages`. */
  readCopies(of: CopiesWanted, part: PagePart, options?: CallOptions): Promise<PatronPage>;
  /** Patrons by number, PATRONS_A_PAGE at most; with `changedSince` only those stored anew since then. */
  readPatrons(
    patronIds: readonly number[],
    how?: { readonly changedSince?: Date },
    options?: CallOptions,
  ): Promise<PatronPage>;
  createPatron(
    body: PatronBody,
    how: { readonly branch: string; readonly confirmNotDuplicate: boolean },
    options?: CallOptions,
  ): Promise<CreateResult>;
  changePatron(
    patronId: number,
    body: PatronChange,
    how: { readonly branch: string },
    options?: CallOptions,
  ): Promise<ChangeResult>;
  changeAttribute(
    at: { readonly patronId: number; readonly attributeId: number },
    value: string,
    options?: CallOptions,
  ): Promise<AttributeChange>;
  addAttribute(
    patronId: number,
    attribute: { readonly type: string; readonly value: string },
    options?: CallOptions,
  ): Promise<AttributeAddition>;
  /** False when the patron, or the attribute, is not there any more. */
  removeAttribute(
    at: { readonly patronId: number; readonly attributeId: number },
    options?: CallOptions,
  ): Promise<boolean>;
  /** What keeps these patrons from being deleted; null where the Koha has no plugin that can say. */
  readDeletionFacts(
    patronIds: readonly number[],
    options?: CallOptions,
  ): Promise<readonly DeletionFacts[] | null>;
  deleteCopy(
    copy: { readonly patronId: number; readonly homeKey: string; readonly homeKeyType: string },
    options?: CallOptions,
  ): Promise<DeletionResult>;
  /** The next page of what copies owe, after this number; null where the Koha has no plugin that can say. */
  readOwed(
    of: { readonly homeKeyType: string; readonly after: number },
    options?: CallOptions,
  ): Promise<OwedPage | null>;
  /** The restrictions that the plugin has set; null where the Koha has no plugin that can say. */
  listRestrictions(kind: RestrictionKind, options?: CallOptions): Promise<readonly KohaRestriction[] | null>;
  /** Restricts a patron until the day before `until`, or without an end. */
  setRestriction(
    restriction: KohaRestriction,
    until: string | null,
    options?: CallOptions,
  ): Promise<RestrictionResult>;
  liftRestriction(restriction: KohaRestriction, options?: CallOptions): Promise<RestrictionResult>;
  isCardTaken(card: string, options?: CallOptions): Promise<boolean>;
  isAttributeTaken(type: string, value: string, options?: CallOptions): Promise<boolean>;
  /** Whether Koha has a patron of this name and birth date. */
  hasPossibleDuplicate(person: Person, options?: CallOptions): Promise<boolean>;
  findItem(barcode: string, options?: CallOptions): Promise<{ itemId: number } | null>;
  findCheckout(
    patronId: number,
    itemId: number,
    options?: CallOptions,
  ): Promise<{ checkoutId: number } | null>;
  availability(
    patronId: number,
    itemId: number,
    how: { readonly branch: string },
    options?: CallOptions,
  ): Promise<Availability>;
  checkOut(
    wish: CheckoutWish,
    how: { readonly branch: string },
    options?: CallOptions,
  ): Promise<CheckoutResult>;
  reportOutcome(eventId: string, state: unknown, options?: CallOptions): Promise<void>;
  about(options?: CallOptions): Promise<PluginAbout>;
  /** How the plugin is configured, for doctor. */
  checkPlugin(nonce: string, options?: CallOptions): Promise<PluginCheck>;
  /** What the plugin remembers of the copies in this range of numbers; null without a plugin that can say. */
  readRememberedCopies(
    range: RememberedRange,
    options?: CallOptions,
  ): Promise<readonly RememberedCopy[] | null>;
  rememberCopy(copy: CopyMemoryRow, options?: CallOptions): Promise<RememberResult>;
  capabilities(options?: CallOptions): Promise<Capabilities>;
  /** Opens a connection for a call that will follow, unless one is open. Sends nothing; what fails is that call's to meet. */
  openConnection(): void;
  reach(options?: CallOptions): Promise<Reach>;
  branches(options?: CallOptions): Promise<KohaBranch[]>;
  categories(options?: CallOptions): Promise<KohaCategory[]>;
  circulationRules(
    at: { readonly category: string; readonly branch: string; readonly rules: readonly string[] },
    options?: CallOptions,
  ): Promise<CirculationRules>;
  probeAttributeTypeByRefusal(patronId: number, type: string, options?: CallOptions): Promise<boolean | null>;
  visiblePatrons(options?: CallOptions): Promise<VisiblePatrons>;
  storedRules(rule: string, options?: CallOptions): Promise<StoredRule[]>;
  knowsApiKey(clientId: string, options?: CallOptions): Promise<boolean | null>;
}

export interface KohaClientOptions extends TransportOptions, Omit<SessionOptions, 'transport'> {}

/** A client and what its owner does with it. */
export interface OpenKohaClient extends KohaClient {
  readonly inFlight: number;
  /** Calls that wait for a place under the cap. */
  readonly waiting: number;
  /** The cap from now on; calls under way go on. */
  setMaxInFlight(calls: number): void;
  /** Calls that wait for a place are `busy` at once, for instance since Koha answers nobody. */
  dismissWaiting(): void;
  close(): void;
}

/** Creates the client of one Koha. It sends nothing before its first call; `close` drops its idle connections. */
export function createKohaClient(options: KohaClientOptions): OpenKohaClient {
  const transport = createTransport(options);
  const session = createSession({ ...options, transport });
  const descriptions = createDescriptionKeeper(session, options);
  return {
    library: options.library,
    findByCard: (card, wanted, limits) => findByCard(session, card, wanted, limits),
    findByAttribute: (type, value, limits) => findByAttribute(session, type, value, limits),
    readPatron: (patronId, limits) => readPatron(session, patronId, limits),
    listCopies: (of, limits) =>
      listPages({ library: options.library, of }, (wanted, part) =>
        readCopies(session, wanted, part, limits),
      ),
    readCopies: (of, part, limits) => readCopies(session, of, part, limits),
    readPatrons: (patronIds, how, limits) => readPatrons(session, patronIds, how, limits),
    createPatron: (body, how, limits) => createPatron(session, descriptions, body, how, limits),
    changePatron: (patronId, body, how, limits) => changePatron(session, patronId, body, how, limits),
    changeAttribute: (at, value, limits) => changeAttribute(session, at, value, limits),
    addAttribute: (patronId, attribute, limits) => addAttribute(session, patronId, attribute, limits),
    removeAttribute: (at, limits) => removeAttribute(session, at, limits),
    readDeletionFacts: (patronIds, limits) => readDeletionFacts(session, patronIds, limits),
    deleteCopy: (copy, limits) => deleteCopy(session, copy, limits),
    readOwed: (of, limits) => readOwed(session, of, limits),
    listRestrictions: (kind, limits) => listRestrictions(session, kind, limits),
    setRestriction: (restriction, until, limits) => setRestriction(session, restriction, until, limits),
    liftRestriction: (restriction, limits) => liftRestriction(session, restriction, limits),
    isCardTaken: (card, limits) => isCardTaken(session, card, limits),
    isAttributeTaken: (type, value, limits) => isAttributeTaken(session, type, value, limits),
    hasPossibleDuplicate: (person, limits) => hasPossibleDuplicate(session, person, limits),
    findItem: (barcode, limits) => findItem(session, barcode, limits),
    findCheckout: (patronId, itemId, limits) => findCheckout(session, patronId, itemId, limits),
    availability: (patronId, itemId, how, limits) => availability(session, patronId, itemId, how, limits),
    checkOut: (wish, how, limits) => checkOut(session, descriptions, wish, how, limits),
    reportOutcome: (eventId, state, limits) => reportOutcome(session, eventId, state, limits),
    about: (limits) => readAbout(session, limits),
    checkPlugin: (nonce, limits) => checkPlugin(session, nonce, limits),
    readRememberedCopies: (range, limits) => readRememberedCopies(session, range, limits),
    rememberCopy: (copy, limits) => rememberCopy(session, copy, limits),
    capabilities: async (limits) => (await descriptions.get(limits)).capabilities,
    openConnection: () => session.openConnection(),
    reach: (limits) => readReach(session, options.url, limits),
    branches: (limits) => readBranches(session, limits),
    categories: (limits) => readCategories(session, limits),
    circulationRules: (at, limits) => readCirculationRules(session, at, limits),
    probeAttributeTypeByRefusal: (patronId, type, limits) =>
      probeAttributeTypeByRefusal(session, patronId, type, limits),
    visiblePatrons: (limits) => readVisiblePatrons(session, limits),
    storedRules: (rule, limits) => readStoredRules(session, rule, limits),
    knowsApiKey: (clientId, limits) => knowsApiKey(session, clientId, limits),
    setMaxInFlight: (calls) => session.slots.resize(calls),
    dismissWaiting: () => session.slots.dismiss(),
    close: () => transport.close(),
    get inFlight() {
      return session.slots.taken;
    },
    get waiting() {
      return session.slots.waiting;
    },
  };
}
