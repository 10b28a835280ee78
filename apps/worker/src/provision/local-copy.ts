import { sameCard } from '@passport/contract';
import { type ChangeResult, KohaError, type KohaPatron } from '@passport/koha-client';
import {
  type LocalMatch,
  comparedFields,
  decideLocalMatch,
  homeKeyOf,
  isCopy,
  isMergedCopy,
  personIn,
} from '@passport/patron-rules';
import { configuredCodes, confirmName } from './confirm-name.ts';
import type { ProvisionContext } from './context.ts';
import type { CopyOrder } from './copy-order.ts';
import type { There } from './create-copy.ts';
import { appendReceipt } from './record-copy.ts';
import {
  type CopyOutcome,
  type CopyThere,
  type MadeCopy,
  SEE_ALL,
  done,
  misconfigured,
  observed,
} from './result.ts';
import type { Step } from './step.ts';

const CONFLICT = done({ outcome: 'LOCAL_CONFLICT' });
const LOOK_ALIKE = done({ outcome: 'LOOKS_LIKE_LOCAL_PATRON' });

type ReceiptContext = Pick<ProvisionContext, 'consortium' | 'receipts' | 'now'>;
/** What a copy is given another card or home key with. */
type KeyContext = ReceiptContext & Pick<ProvisionContext, 'records'>;

/**
 * Looks at the lending library itself: who has the card here, and who has the home key? Null: nobody that we can see.
 * Our copy with an older card gets the new one. Throws KohaError or LibraryClosed.
 */
export async function findLocalCopy(
  order: CopyOrder,
  step: Step,
  unsure: boolean,
  context: KeyContext,
): Promise<CopyOutcome | null> {
  const { lending, body, home: homeId, homeKeyAttribute, homeKey } = order;
  const card = body.cardnumber;
  const byCard = await step.read(lending, (koha, limits) =>
    koha.findByCard([card, ...order.otherCards], { attributes: true, balance: false }, limits),
  );
  const known = { ...order, card, homeId, byCard };
  const match = decideLocalMatch({ ...known, byHomeKey: [] });
  if (match.kind === 'our_copy' || homeKeyAttribute === null)
    return resultOfMatch(order, step, match, { unsure, context });
  const byHomeKey = await step.read(lending, (koha, limits) =>
    koha.findByAttribute(homeKeyAttribute, homeKey, limits),
  );
  const matched = decideLocalMatch({ ...known, byHomeKey });
  return resultOfMatch(order, step, matched, { unsure, context });
}

/**
 * What would become of a copy at a lending library that only observes, where a look has found this. Nothing is sent to be written.
 * A search by name discloses the person, so its receipt is written before.
 */
export async function observeCopy(
  order: CopyOrder,
  step: Step,
  found: CopyOutcome | null,
  context: ReceiptContext,
): Promise<CopyOutcome> {
  const { lending, home, homeKey, eventId, fields: read, body } = order;
  const person = found === null ? order.searchFor : null;
  const searched = person === null ? [] : comparedFields(person);
  const receipt = { home, lending, homeKey, fields: searched, eventId, read, what: 'observed' } as const;
  await appendReceipt(receipt, context);
  if (found !== null) return found;
  const isThere =
    person !== null &&
    (await step.read(lending, (koha, limits) => koha.hasPossibleDuplicate(person, limits)));
  return isThere ? LOOK_ALIKE : observed(body.category_id, []);
}

/** Koha says that it is there, and we do not find it. A second look separates what is hidden from what was only being made. */
export async function explainUnfound(
  order: CopyOrder,
  because: There,
  step: Step,
  context: KeyContext,
): Promise<CopyOutcome> {
  if (because.kind === 'possible_duplicate') {
    return (await isHiddenFromUs(order, step))
      ? misconfigured(order.lending, { what: 'permission', name: SEE_ALL })
      : LOOK_ALIKE;
  }
  if (because.kind === 'userid_taken') return misconfigured(order.lending, { what: 'other', name: 'userid' });
  if (because.kind === 'attribute_not_unique' && because.type !== order.homeKeyAttribute) {
    return misconfigured(order.lending, { what: 'attribute_type', name: because.type });
  }
  await step.pauseAfter(1);
  const found = await findLocalCopy(order, step, false, context);
  if (found !== null) return found;
  // Koha's database forgives accents, cases and blanks where we do not: then it is somebody, and somebody else.
  if (await isTakenByCollation(order, because, step)) return CONFLICT;
  return misconfigured(order.lending, { what: 'permission', name: SEE_ALL });
}

/**
 * Koha's own search for possible duplicates, before it looks at the card, sees patrons of all branches: whom it means and we do not
 * find can be our copy, hidden from an API user who sees one branch of several. Whom we have searched for ourselves we have seen.
 */
async function isHiddenFromUs({ lending, body, searchFor }: CopyOrder, step: Step): Promise<boolean> {
  const person = searchFor === null ? personIn(body) : null;
  if (person === null) return false;
  const isSeen = await step.read(lending, (koha, limits) => koha.hasPossibleDuplicate(person, limits));
  if (isSeen) return false;
  const { elsewhere } = await step.read(lending, (koha, limits) => koha.visiblePatrons(limits));
  if (elsewhere) return false;
  return (await step.read(lending, (koha, limits) => koha.branches(limits))).length > 1;
}

function isTakenByCollation(
  { lending, body, homeKey, homeKeyAttribute }: CopyOrder,
  { kind }: There,
  { call, signal }: Step,
): Promise<boolean> {
  return call(lending, (koha) =>
    kind === 'attribute_not_unique' && homeKeyAttribute !== null
      ? koha.isAttributeTaken(homeKeyAttribute, homeKey, { signal })
      : koha.isCardTaken(body.cardnumber, { signal }),
  );
}

async function resultOfMatch(
  order: CopyOrder,
  step: Step,
  match: LocalMatch,
  { unsure, context }: { readonly unsure: boolean; readonly context: KeyContext },
): Promise<CopyOutcome | null> {
  const { homeKeyAttribute } = order;
  switch (match.kind) {
    case 'nobody':
      return null;
    case 'our_copy':
      return ours(order, match.patronId, unsure ? [...order.fields] : null);
    case 'our_copy_older_card':
      return changeCard(order, step, match.patronId, context);
    case 'copy_without_key':
      // Where no home key is written, what this very event sent is ours by its card and its passport.
      if (homeKeyAttribute === null && unsure) return ours(order, match.patronId, [...order.fields]);
      return done({ outcome: 'ALREADY_LOCAL', patronId: match.patronId });
    case 'native':
      return done({ outcome: 'ALREADY_LOCAL', patronId: match.patronId });
    case 'copy_of_other_number':
      return changeHomeKey(order, step, match, context);
    case 'copy_merged':
      return done({ outcome: 'MERGED_INTO_NATIVE', patronId: match.patronId });
    case 'copy_anonymized':
      return done({ outcome: 'COPY_ANONYMIZED', patronId: match.patronId });
    case 'card_of_another':
      return CONFLICT;
    default:
      return match satisfies never;
  }
}

/**
 * The home library gave the patron a new card: our copy gets it. Only the card changes; Koha wants the other fields echoed. A look by
 * attribute shows that attribute alone, so the copy is read: without a passport it is nobody's copy any more.
 */
async function changeCard(
  order: CopyOrder,
  step: Step,
  patronId: number,
  context: KeyContext,
): Promise<CopyOutcome> {
  const { lending, branch, body, home, homeKey, eventId } = order;
  const read = (): Promise<KohaPatron | null> =>
    step.read(lending, (koha, limits) => koha.readPatron(patronId, limits));
  const copy = await read();
  if (copy === null) return CONFLICT;
  if (copy.anonymized === true) return done({ outcome: 'COPY_ANONYMIZED', patronId });
  if (!isCopy(copy, order.passportTypes)) return CONFLICT;
  if (isMergedCopy(copy, order) || (await isOfAnotherNumber(order, patronId, context))) {
    return done({ outcome: 'MERGED_INTO_NATIVE', patronId });
  }
  if (!order.isOwnCard()) return CONFLICT;
  if (order.mode === 'observe') return observed(null, ['CARD_CHANGED']);
  await step.assertWanted();
  const fields = ['cardnumber'];
  await appendReceipt({ home, lending, homeKey, fields, eventId, patronId, what: 'refreshed' }, context);
  step.assertHeld();
  const echoed = {
    surname: copy.surname,
    library_id: copy.libraryId,
    category_id: copy.categoryId,
    cardnumber: body.cardnumber,
  };
  const withNewCard: CopyOutcome = ours(order, patronId, null, ['CARD_CHANGED']);
  let changed: ChangeResult;
  try {
    changed = await step.call(lending, (koha) =>
      koha.changePatron(patronId, echoed, { branch }, { signal: step.signal }),
    );
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    const card = (await read())?.cardnumber ?? null;
    if (card !== null && sameCard(card, body.cardnumber)) return withNewCard;
    throw error;
  }
  switch (changed.kind) {
    case 'changed':
      return isAsBefore(changed.cardnumber, copy, body.cardnumber)
        ? ours(order, patronId, null)
        : withNewCard;
    case 'card_taken':
    case 'gone':
      return CONFLICT;
    case 'refused':
      return misconfigured(lending, await confirmName(lending, changed, configuredCodes(order), step));
    default:
      return changed satisfies never;
  }
}

/** Whether the copy on record has another number: Koha has merged it into the patron who has its home key now, whatever their category. */
export async function isOfAnotherNumber(
  { lending, homeKey }: CopyOrder,
  patronId: number,
  { records }: Pick<ProvisionContext, 'records'>,
): Promise<boolean> {
  const onRecord = await records.find(lending, homeKey);
  return onRecord !== null && onRecord !== patronId;
}

/** A plugin of the lending Koha rewrites each card that is stored: what it made of this one is what the copy had already. */
const isAsBefore = (stored: string | null, copy: KohaPatron, sent: string): boolean =>
  stored !== null && copy.cardnumber !== null && sameCard(stored, copy.cardnumber) && !sameCard(stored, sent);

/**
 * The card is on a copy whose key names another number at home. If home has given that number up (it merged two records, or
 * anonymised one), the copy is this patron's, and gets the number they have now. Nothing more is read from home. The receipt and the
 * service's own record come first: a run that ends in between is finished by the next one, or by the sweep.
 */
async function changeHomeKey(
  order: CopyOrder,
  step: Step,
  { patronId, otherNumber, attributeId }: Extract<LocalMatch, { kind: 'copy_of_other_number' }>,
  context: KeyContext,
): Promise<CopyOutcome> {
  const { home, lending, homeKey, eventId } = order;
  const atHome = await step.read(home, (koha, limits) => koha.readPatron(otherNumber, limits), 'home');
  const isGone = atHome === null || atHome.anonymized === true;
  if (!isGone || attributeId === null) return CONFLICT;
  if (order.mode === 'observe') return observed(null, ['REKEYED']);
  await step.assertWanted();
  const formerKey = homeKeyOf(home, otherNumber);
  await appendReceipt(
    { home, lending, homeKey, formerKey, fields: [], eventId, patronId, what: 'rekeyed' },
    context,
  );
  await context.records.rekey(lending, { patronId, from: formerKey, to: homeKey });
  step.assertHeld();
  const rekeyed = ours(order, patronId, null, ['REKEYED']);
  try {
    const changed = await step.call(lending, (koha) =>
      koha.changeAttribute({ patronId, attributeId }, homeKey, { signal: step.signal }),
    );
    return changed.kind === 'changed' ? rekeyed : CONFLICT;
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    const copy = await step.read(lending, (koha, limits) => koha.readPatron(patronId, limits));
    if (copy?.attributes?.some(({ value }) => value === homeKey) === true) return rekeyed;
    throw error;
  }
}

/** Our copy is there. `disclosed` where this very event may have made it, and its answer was lost. */
function ours(
  { home, homeKey: home_key }: CopyOrder,
  patron_id: number,
  disclosed: MadeCopy['disclosed'],
  reasons: MadeCopy['reasons'] = [],
): CopyThere {
  return { kind: 'there', made: { outcome: 'ALREADY_LOCAL', reasons, home, home_key, patron_id, disclosed } };
}
