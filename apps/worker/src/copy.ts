import type { Progress } from '@passport/contract';
import { KohaError, type KohaPatron, type PatronBody } from '@passport/koha-client';
import { type LocalHolder, decideLocalHolder } from '@passport/verdict';
import type { Libraries } from './libraries.ts';

/** The copy to make, decided to the last field. */
export interface CopyOrder {
  readonly lending: string;
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
  readonly home: string;
  readonly branch: string;
  readonly body: PatronBody;
  readonly passportTypes: ReadonlySet<string>;
  /** Null: no home key is written, so that a replaced card cannot be recognised. */
  readonly homeKeyAttribute: string | null;
  readonly onLookAlike: 'stop' | 'create';
  /** An earlier run may have written already: look before anything is sent. */
  readonly lookFirst: boolean;
}

export type CopyResult =
  | { readonly kind: 'copied'; readonly patronId: number }
  /** Our copy was there. `unsure`: this very event may have made it, and its answer was lost. */
  | {
      readonly kind: 'ours';
      readonly patronId: number;
      readonly cardChanged: boolean;
      readonly unsure: boolean;
    }
  /** Somebody the lending library knows by itself, or an older copy without our home key. */
  | { readonly kind: 'native'; readonly patronId: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'look_alike' }
  /** Koha could not store this record, three times. */
  | { readonly kind: 'record_refused' }
  | {
      readonly kind: 'misconfigured';
      readonly problem: NonNullable<Progress['problem']>;
      readonly patronId: number | null;
    };

/** How the copy step reaches the outside. */
export interface CopyDeps {
  readonly libraries: Libraries;
  readonly signal: AbortSignal;
  /** Throws when this process may no longer write for the job. */
  readonly assertHeld: () => void;
  readonly pause: (ms: number) => Promise<void>;
}

/** A patron with our home key needs this permission to be seen from another branch (API.md, surprise 10). */
const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';
const MOST_REFUSALS = 3;
const PAUSE_AFTER_REFUSAL_MS = 300;

/**
 * Makes sure that the copy is there, once. Idempotent by looking, not by remembering: whatever Koha answers that can
 * mean "is there already", and every answer that was lost, is followed by a look, by card and then by home key.
 * Throws KohaError or LibraryClosed where the look itself fails.
 */
export async function copyPatron(order: CopyOrder, deps: CopyDeps): Promise<CopyResult> {
  let unsure = order.lookFirst;
  if (unsure) {
    const found = await look(order, deps, unsure);
    if (found !== null) return found;
  }
  for (let refusals = 0; refusals < MOST_REFUSALS; refusals += 1) {
    const made = await create(order, deps, order.onLookAlike === 'create');
    if (made.kind === 'end') return made.result;
    unsure ||= made.kind === 'lost';
    const found = await look(order, deps, unsure);
    if (found !== null) return found;
    if (made.kind === 'lost') throw made.error;
    if (made.kind !== 'record_refused') return notThere(order, made);
    await deps.pause(PAUSE_AFTER_REFUSAL_MS * (refusals + 1));
  }
  return { kind: 'record_refused' };
}

type Made =
  | { readonly kind: 'end'; readonly result: CopyResult }
  | { readonly kind: 'taken' | 'look_alike' }
  | { readonly kind: 'record_refused' }
  | { readonly kind: 'lost'; readonly error: KohaError };

async function create(order: CopyOrder, deps: CopyDeps, confirmNotDuplicate: boolean): Promise<Made> {
  const { lending, branch, body } = order;
  deps.assertHeld();
  try {
    const answer = await deps.libraries.call(lending, (koha) =>
      koha.createPatron(body, { branch, confirmNotDuplicate }, { signal: deps.signal }),
    );
    switch (answer.kind) {
      case 'created':
        return { kind: 'end', result: created(order, answer) };
      case 'card_taken':
      case 'attribute_not_unique':
      case 'userid_taken':
        return { kind: 'taken' };
      case 'look_alike':
        return { kind: 'look_alike' };
      case 'refused': {
        const { what, name } = answer;
        const problem = { library: lending, what, name };
        return { kind: 'end', result: { kind: 'misconfigured', problem, patronId: null } };
      }
      default:
        return answer satisfies never;
    }
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    return error.code === 'record_refused' ? { kind: 'record_refused' } : { kind: 'lost', error };
  }
}

/** A 201 with a body of nulls: the copy is there, but this API user will never find it again. */
function created(
  order: CopyOrder,
  answer: { readonly patronId: number; readonly hidden: boolean },
): CopyResult {
  if (!answer.hidden) return { kind: 'copied', patronId: answer.patronId };
  return { kind: 'misconfigured', problem: hides(order.lending), patronId: answer.patronId };
}

const hides = (library: string): NonNullable<Progress['problem']> => ({
  library,
  what: 'permission',
  name: SEE_ALL,
});

/** Koha said that something is there, and the look found nothing. */
function notThere(order: CopyOrder, made: { readonly kind: 'taken' | 'look_alike' }): CopyResult {
  if (made.kind === 'look_alike') return { kind: 'look_alike' };
  return { kind: 'misconfigured', problem: hides(order.lending), patronId: null };
}

/** Who has the card here, and who has the home key? Null: nobody that we can see. */
async function look(order: CopyOrder, deps: CopyDeps, unsure: boolean): Promise<CopyResult | null> {
  const { libraries, signal } = deps;
  const { lending, body, home: homeId, homeKeyAttribute, homeKey, passportTypes } = order;
  const card = body.cardnumber;
  const byCard = await libraries.call(lending, (koha) =>
    koha.findByCard(card, { attributes: true, balance: false }, { signal }),
  );
  const known = { card, homeId, homeKey, homeKeyAttribute, passportTypes, byCard };
  const holder = decideLocalHolder({ ...known, byHomeKey: [] });
  if (holder.kind === 'our_copy' || homeKeyAttribute === null)
    return whoHolds(order, deps, holder, [], unsure);
  const byHomeKey = await libraries.call(lending, (koha) =>
    koha.findByAttribute(homeKeyAttribute, homeKey, { signal }),
  );
  return whoHolds(order, deps, decideLocalHolder({ ...known, byHomeKey }), byHomeKey, unsure);
}

async function whoHolds(
  order: CopyOrder,
  deps: CopyDeps,
  holder: LocalHolder,
  byHomeKey: readonly KohaPatron[],
  unsure: boolean,
): Promise<CopyResult | null> {
  switch (holder.kind) {
    case 'nobody':
      return null;
    case 'our_copy':
      return { kind: 'ours', patronId: holder.patronId, cardChanged: false, unsure };
    case 'our_copy_older_card': {
      const copy = byHomeKey.find(({ patronId }) => patronId === holder.patronId);
      return copy === undefined ? { kind: 'conflict' } : changeCard(order, deps, copy);
    }
    case 'copy_without_key':
    case 'native':
      return { kind: 'native', patronId: holder.patronId };
    case 'card_of_another':
      return { kind: 'conflict' };
    default:
      return holder satisfies never;
  }
}

/** The home library gave the patron a new card: our copy gets it. Only the card changes; Koha wants the rest echoed. */
async function changeCard(order: CopyOrder, deps: CopyDeps, copy: KohaPatron): Promise<CopyResult> {
  const { lending, branch, body } = order;
  const { patronId } = copy;
  deps.assertHeld();
  const echoed = {
    surname: copy.surname,
    library_id: copy.libraryId,
    category_id: copy.categoryId,
    cardnumber: body.cardnumber,
  };
  const changed = await deps.libraries.call(lending, (koha) =>
    koha.changePatron(patronId, echoed, { branch }, { signal: deps.signal }),
  );
  switch (changed.kind) {
    case 'changed':
      return { kind: 'ours', patronId, cardChanged: true, unsure: false };
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
