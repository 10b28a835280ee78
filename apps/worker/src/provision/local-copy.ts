import { type ChangeResult, KohaError, type KohaPatron, sameCard } from '@passport/koha-client';
import { type LocalHolder, decideLocalHolder, isCopy, isMergedCopy } from '@passport/patron-rules';
import type { CopyOrder, CopyResult, StepDeps } from './copy.ts';

/** Whom a look at the lending library can find; `null` there: nobody that we can see. */
type Found = Extract<
  CopyResult,
  { kind: 'ours' | 'native' | 'conflict' | 'merged' | 'anonymized' | 'misconfigured' }
>;

/**
 * Looks at the lending library itself: who has the card here, and who has the home key? Our copy with an older card gets
 * the new one. Throws KohaError or LibraryClosed.
 */
export async function findLocalCopy(
  order: CopyOrder,
  deps: StepDeps,
  unsure: boolean,
): Promise<Found | null> {
  const { libraries, signal } = deps;
  const { lending, body, home: homeId, homeKeyAttribute, homeKey } = order;
  const card = body.cardnumber;
  const byCard = await libraries.call(lending, (koha) =>
    koha.findByCard(card, { attributes: true, balance: false }, { signal }),
  );
  const known = { ...order, card, homeId, byCard };
  const holder = decideLocalHolder({ ...known, byHomeKey: [] });
  if (holder.kind === 'our_copy' || homeKeyAttribute === null) return whoHolds(order, deps, holder, unsure);
  const byHomeKey = await libraries.call(lending, (koha) =>
    koha.findByAttribute(homeKeyAttribute, homeKey, { signal }),
  );
  return whoHolds(order, deps, decideLocalHolder({ ...known, byHomeKey }), unsure);
}

async function whoHolds(
  order: CopyOrder,
  deps: StepDeps,
  holder: LocalHolder,
  unsure: boolean,
): Promise<Found | null> {
  const { homeKeyAttribute } = order;
  switch (holder.kind) {
    case 'nobody':
      return null;
    case 'our_copy':
      return ours(holder.patronId, unsure);
    case 'our_copy_older_card':
      return changeCard(order, deps, holder.patronId);
    case 'copy_without_key':
      // Where no home key is written, what this very event sent is ours by its card and its passport.
      if (homeKeyAttribute === null && unsure) {
        return ours(holder.patronId, unsure);
      }
      return { kind: 'native', patronId: holder.patronId };
    case 'native':
      return { kind: 'native', patronId: holder.patronId };
    case 'copy_of_other_number':
      return changeHomeKey(order, deps, holder);
    case 'copy_merged':
      return { kind: 'merged', patronId: holder.patronId };
    case 'copy_anonymized':
      return { kind: 'anonymized', patronId: holder.patronId };
    case 'card_of_another':
      return { kind: 'conflict' };
    default:
      return holder satisfies never;
  }
}

/**
 * The home library gave the patron a new card: our copy gets it. Only the card changes; Koha wants the rest echoed. A look by
 * attribute shows that attribute alone, so the copy is read: without a passport it is nobody's copy any more.
 */
async function changeCard(order: CopyOrder, deps: StepDeps, patronId: number): Promise<Found> {
  const { lending, branch, body } = order;
  const read = (): Promise<KohaPatron | null> =>
    deps.libraries.call(lending, (koha) => koha.readPatron(patronId, { signal: deps.signal }));
  const copy = await read();
  if (copy === null) return { kind: 'conflict' };
  if (copy.anonymized === true) return { kind: 'anonymized', patronId };
  if (!isCopy(copy, order.passportTypes)) return { kind: 'conflict' };
  if (isMergedCopy(copy, order)) return { kind: 'merged', patronId };
  deps.assertHeld();
  const echoed = {
    surname: copy.surname,
    library_id: copy.libraryId,
    category_id: copy.categoryId,
    cardnumber: body.cardnumber,
  };
  const withNewCard: Found = { ...ours(patronId, false), cardChanged: true };
  let changed: ChangeResult;
  try {
    changed = await deps.libraries.call(lending, (koha) =>
      koha.changePatron(patronId, echoed, { branch }, { signal: deps.signal }),
    );
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    const card = (await read())?.cardnumber ?? null;
    if (card !== null && sameCard(card, body.cardnumber)) return withNewCard;
    throw error;
  }
  switch (changed.kind) {
    case 'changed':
      return withNewCard;
    case 'card_taken':
    case 'gone':
      return { kind: 'conflict' };
    case 'refused': {
      const problem = { library: lending, what: changed.what, name: changed.name };
      return { kind: 'misconfigured', problem, patronId: null };
    }
    default:
      return changed satisfies never;
  }
}

/**
 * The card is on a copy whose key names another number at home. If home has given that number up (it merged two records, or
 * anonymised one), the copy is this patron's, and gets the number they have now. Nothing more is asked of home.
 */
async function changeHomeKey(
  order: CopyOrder,
  deps: StepDeps,
  { patronId, otherNumber, attributeId }: Extract<LocalHolder, { kind: 'copy_of_other_number' }>,
): Promise<Found> {
  const { home, lending, homeKey } = order;
  const { libraries, signal } = deps;
  const atHome = await libraries.call(home, (koha) => koha.readPatron(otherNumber, { signal }));
  const isGone = atHome === null || atHome.anonymized === true;
  if (!isGone || attributeId === null) return { kind: 'conflict' };
  deps.assertHeld();
  const rekeyed: Found = { ...ours(patronId, false), rekeyed: true };
  try {
    const changed = await libraries.call(lending, (koha) =>
      koha.changeAttribute({ patronId, attributeId }, homeKey, { signal }),
    );
    return changed.kind === 'changed' ? rekeyed : { kind: 'conflict' };
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    const copy = await libraries.call(lending, (koha) => koha.readPatron(patronId, { signal }));
    if (copy?.attributes?.some(({ value }) => value === homeKey) === true) return rekeyed;
    throw error;
  }
}

const ours = (patronId: number, unsure: boolean): Extract<Found, { kind: 'ours' }> => ({
  kind: 'ours',
  patronId,
  cardChanged: false,
  rekeyed: false,
  unsure,
});
