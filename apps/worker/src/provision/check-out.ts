import type { Progress } from '@passport/contract';
import { type CheckoutResult, KohaError } from '@passport/koha-client';
import type { StepDeps } from './copy.ts';
import { LibraryClosed } from '../koha/libraries.ts';

/** The loan to make: to this record and no other, as the branch of the scan. */
export interface LoanOrder {
  readonly lending: string;
  readonly patronId: number;
  readonly barcode: string;
  readonly branch: string;
  /** Koha's keys that may be confirmed without a person. */
  readonly confirm: readonly string[];
  /** An earlier run may have lent already: look before anything is sent. */
  readonly lookFirst: boolean;
  /** Milliseconds until a loan must not be sent any more; negative when it is too late. */
  readonly sendingLeftMs: () => number;
  readonly monotonicNow: () => number;
}

export type LoanResult = NonNullable<Progress['checkout']>;
/** Koha has anonymised the record since the copy was made: it is nobody's, and nothing was sent. */
export type NobodyThere = 'anonymized';

const ALREADY: LoanResult = { result: 'ALREADY_CHECKED_OUT', keys: [] };
const TOO_LATE: LoanResult = { result: 'TOO_LATE', keys: [] };

/**
 * Lends the waiting item, at most once and never late. Koha's loan is not idempotent (a second try would meet its own
 * loan, a fresh token would renew it), so every lost answer is followed by a look for the loan. Throws KohaError or
 * LibraryClosed where it cannot be known yet how it stands.
 */
export async function retryCheckout(order: LoanOrder, deps: StepDeps): Promise<LoanResult | NobodyThere> {
  if (order.lookFirst) {
    const found = await lookForLoan(order, deps);
    if (found !== null) return found;
    if (await isAnonymized(order, deps)) return 'anonymized';
  }
  return lend(order, deps);
}

/** It may be a while since an earlier run knew the record. */
async function isAnonymized({ lending, patronId }: LoanOrder, deps: StepDeps): Promise<boolean> {
  const { libraries, signal } = deps;
  const patron = await libraries.call(lending, (koha) => koha.readPatron(patronId, { signal }));
  return patron?.anonymized === true;
}

/** Koha's own word that what stands in the way is confirmed; for exactly this patron and item. */
interface Confirmed {
  readonly itemId: number;
  readonly token: string;
}

async function lend(order: LoanOrder, deps: StepDeps, confirmed?: Confirmed): Promise<LoanResult> {
  if (order.sendingLeftMs() <= 0) return TOO_LATE;
  deps.assertHeld();
  const answer = await send(order, deps, confirmed);
  switch (answer.kind) {
    case 'looked':
      return answer.result;
    case 'lent':
      return { result: 'CHECKED_OUT', keys: [] };
    case 'item_not_found':
      return { result: 'ITEM_NOT_FOUND', keys: [] };
    case 'patron_not_found':
      return { result: 'BLOCKED', keys: ['PATRON_NOT_FOUND'] };
    case 'blocked':
      return blocked(order, deps, answer.keys);
    case 'needs_confirmation':
      return confirmed === undefined ? confirm(order, deps) : needsConfirmation(order, deps);
    default:
      return answer satisfies never;
  }
}

type Sent = CheckoutResult | { readonly kind: 'looked'; readonly result: LoanResult };

/** Sends the loan; where its answer is lost, looks for what became of it. */
async function send(order: LoanOrder, deps: StepDeps, confirmed?: Confirmed): Promise<Sent> {
  const { lending, patronId, barcode, branch } = order;
  const wish = {
    patronId,
    barcode,
    ...(confirmed === undefined ? {} : { itemId: confirmed.itemId, confirmation: confirmed.token }),
  };
  const limits = { signal: deps.signal, sendBefore: order.monotonicNow() + order.sendingLeftMs() };
  try {
    return await deps.libraries.call(lending, (koha) => koha.checkOut(wish, { branch }, limits));
  } catch (error) {
    if (error instanceof KohaError && error.code === 'too_late') return { kind: 'looked', result: TOO_LATE };
    if (!(error instanceof KohaError) || error.effect === 'none' || deps.signal.aborted) throw error;
    const found = await lookForLoan(order, deps).catch((failure: unknown) => {
      // A look that fails says nothing: what counts is still the loan whose answer was lost.
      throw isOutside(failure) ? error : failure;
    });
    if (found === ALREADY) return { kind: 'looked', result: { result: 'CHECKED_OUT', keys: [] } };
    if (found !== null) return { kind: 'looked', result: found };
    throw error; // Koha may still be at it: whoever looks next, later, knows
  }
}

const isOutside = (failure: unknown): boolean =>
  failure instanceof LibraryClosed || (failure instanceof KohaError && failure.code !== 'aborted');

/** Koha's keys for "this patron has it already, and may not renew it". */
const OWN_LOAN_BLOCKERS = ['NO_MORE_RENEWALS', 'NO_RENEWAL_FOR_ONSITE_CHECKOUTS'];

async function blocked(order: LoanOrder, deps: StepDeps, keys: readonly string[]): Promise<LoanResult> {
  if (keys.some((key) => OWN_LOAN_BLOCKERS.includes(key))) {
    const found = await lookForLoan(order, deps);
    if (found !== null) return found;
  }
  return { result: 'BLOCKED', keys: [...keys] };
}

/** Koha wants something confirmed and does not say what: ask, and confirm only if every single key may be. */
async function confirm(order: LoanOrder, deps: StepDeps): Promise<LoanResult> {
  const asked = await ask(order, deps);
  if (asked.kind === 'answered') return asked.result;
  const { itemId, confirms, token } = asked;
  const everyKeyMay = confirms.every((key) => order.confirm.includes(key));
  if (!everyKeyMay || token === null) return { result: 'NEEDS_CONFIRMATION', keys: confirms };
  return lend(order, deps, { itemId, token });
}

/** The keys changed between our look and our loan: somebody else is at it, so a person decides. */
async function needsConfirmation(order: LoanOrder, deps: StepDeps): Promise<LoanResult> {
  const asked = await ask(order, deps);
  return asked.kind === 'answered' ? asked.result : { result: 'NEEDS_CONFIRMATION', keys: asked.confirms };
}

type Asked =
  | { readonly kind: 'answered'; readonly result: LoanResult }
  | {
      readonly kind: 'confirms';
      readonly itemId: number;
      readonly confirms: string[];
      readonly token: string | null;
    };

async function ask(order: LoanOrder, deps: StepDeps): Promise<Asked> {
  const { lending, patronId, barcode, branch } = order;
  const { libraries, signal } = deps;
  const answered = (result: LoanResult): Asked => ({ kind: 'answered', result });
  const item = await libraries.call(lending, (koha) => koha.findItem(barcode, { signal }));
  if (item === null) return answered({ result: 'ITEM_NOT_FOUND', keys: [] });
  const { itemId } = item;
  const { blockers, confirms, token } = await libraries.call(lending, (koha) =>
    koha.availability(patronId, itemId, { branch }, { signal }),
  );
  if (blockers.length > 0) return answered({ result: 'BLOCKED', keys: blockers });
  if (confirms.includes('RENEW_ISSUE')) return answered(ALREADY);
  return { kind: 'confirms', itemId, confirms, token };
}

/** Whether the patron has the item by now; null when not. An unknown item is an answer of its own. */
async function lookForLoan(order: LoanOrder, deps: StepDeps): Promise<LoanResult | null> {
  const { lending, patronId, barcode } = order;
  const { libraries, signal } = deps;
  const item = await libraries.call(lending, (koha) => koha.findItem(barcode, { signal }));
  if (item === null) return { result: 'ITEM_NOT_FOUND', keys: [] };
  const loan = await libraries.call(lending, (koha) => koha.findLoan(patronId, item.itemId, { signal }));
  return loan === null ? null : ALREADY;
}
