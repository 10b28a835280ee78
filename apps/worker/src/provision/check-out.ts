import type { Progress } from '@passport/contract';
import { type CheckoutResult, KohaError } from '@passport/koha-client';
import { readAt } from './read-at.ts';
import type { StepDeps } from './step.ts';
import { LibraryClosed } from '../koha/libraries.ts';

/** The checkout to make: to this record and no other, as the branch of the scan. */
export interface CheckoutOrder {
  readonly lending: string;
  readonly patronId: number;
  readonly barcode: string;
  readonly branch: string;
  /** Koha's keys that may be confirmed without a person. */
  readonly confirm: readonly string[];
  /** An earlier run may have checked it out already: look before anything is sent. */
  readonly lookFirst: boolean;
  /** Milliseconds until a checkout must not be sent any more; negative when it is too late. */
  readonly sendingLeftMs: () => number;
}

export type CheckoutOutcome = NonNullable<Progress['checkout']>;
/** Koha has anonymised the record since the copy was made: it is nobody's, and nothing was sent. */
export type AnonymizedCopy = 'anonymized';

const ALREADY: CheckoutOutcome = { result: 'ALREADY_CHECKED_OUT', keys: [] };
const TOO_LATE: CheckoutOutcome = { result: 'TOO_LATE', keys: [] };

/**
 * Checks the waiting item out, at most once and never late. Koha's checkout is not idempotent (a second try would meet its own
 * checkout, a fresh token would renew it), so every lost answer is followed by a look for the checkout. Throws KohaError or
 * LibraryClosed where it cannot be known yet how it stands.
 */
export async function checkOut(
  order: CheckoutOrder,
  deps: StepDeps,
): Promise<CheckoutOutcome | AnonymizedCopy> {
  if (order.lookFirst) {
    const found = await findCheckout(order, deps);
    if (found !== null) return found;
    if (await isAnonymized(order, deps)) return 'anonymized';
  }
  return trySending(order, deps);
}

/** It may be a while since an earlier run knew the record. */
async function isAnonymized({ lending, patronId }: CheckoutOrder, deps: StepDeps): Promise<boolean> {
  const patron = await readAt(lending, (koha, limits) => koha.readPatron(patronId, limits), deps);
  return patron?.anonymized === true;
}

/** Koha's own token that what stands in the way is confirmed; for exactly this patron and item. */
interface Confirmed {
  readonly itemId: number;
  readonly token: string;
}

async function trySending(
  order: CheckoutOrder,
  deps: StepDeps,
  confirmed?: Confirmed,
): Promise<CheckoutOutcome> {
  if (order.sendingLeftMs() <= 0) return TOO_LATE;
  deps.assertHeld();
  const answer = await send(order, deps, confirmed);
  switch (answer.kind) {
    case 'looked':
      return answer.result;
    case 'checked_out':
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

type Sent = CheckoutResult | { readonly kind: 'looked'; readonly result: CheckoutOutcome };

/** Sends the checkout; where its answer is lost, looks for what became of it. */
async function send(order: CheckoutOrder, deps: StepDeps, confirmed?: Confirmed): Promise<Sent> {
  const { lending, patronId, barcode, branch } = order;
  const wish = {
    patronId,
    barcode,
    ...(confirmed === undefined ? {} : { itemId: confirmed.itemId, confirmation: confirmed.token }),
  };
  const limits = { signal: deps.signal, sendBefore: deps.monotonicNow() + order.sendingLeftMs() };
  try {
    return await deps.libraries.call(lending, (koha) => koha.checkOut(wish, { branch }, limits));
  } catch (error) {
    if (error instanceof KohaError && error.code === 'too_late') return { kind: 'looked', result: TOO_LATE };
    if (!(error instanceof KohaError) || error.effect === 'none' || deps.signal.aborted) throw error;
    const found = await findCheckout(order, deps).catch((failure: unknown) => {
      // A look that fails says nothing: what counts is still the checkout whose answer was lost.
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
const OWN_CHECKOUT_BLOCKERS = ['NO_MORE_RENEWALS', 'NO_RENEWAL_FOR_ONSITE_CHECKOUTS'];

async function blocked(
  order: CheckoutOrder,
  deps: StepDeps,
  keys: readonly string[],
): Promise<CheckoutOutcome> {
  if (keys.some((key) => OWN_CHECKOUT_BLOCKERS.includes(key))) {
    const found = await findCheckout(order, deps);
    if (found !== null) return found;
  }
  return { result: 'BLOCKED', keys: [...keys] };
}

/** Koha wants something confirmed and does not say what: look it up, and confirm only if every single key may be. */
async function confirm(order: CheckoutOrder, deps: StepDeps): Promise<CheckoutOutcome> {
  const looked = await lookUpKeys(order, deps);
  if (looked.kind === 'answered') return looked.result;
  const { itemId, confirms, token } = looked;
  const everyKeyMay = confirms.every((key) => order.confirm.includes(key));
  if (!everyKeyMay || token === null) return { result: 'NEEDS_CONFIRMATION', keys: confirms };
  return trySending(order, deps, { itemId, token });
}

/** The keys changed between our look and our checkout: somebody else changed something, so a person decides. */
async function needsConfirmation(order: CheckoutOrder, deps: StepDeps): Promise<CheckoutOutcome> {
  const looked = await lookUpKeys(order, deps);
  return looked.kind === 'answered' ? looked.result : { result: 'NEEDS_CONFIRMATION', keys: looked.confirms };
}

type LookedUp =
  | { readonly kind: 'answered'; readonly result: CheckoutOutcome }
  | {
      readonly kind: 'confirms';
      readonly itemId: number;
      readonly confirms: string[];
      readonly token: string | null;
    };

async function lookUpKeys(order: CheckoutOrder, deps: StepDeps): Promise<LookedUp> {
  const { lending, patronId, barcode, branch } = order;
  const answered = (result: CheckoutOutcome): LookedUp => ({ kind: 'answered', result });
  const item = await readAt(lending, (koha, limits) => koha.findItem(barcode, limits), deps);
  if (item === null) return answered({ result: 'ITEM_NOT_FOUND', keys: [] });
  const { itemId } = item;
  const { blockers, confirms, token } = await readAt(
    lending,
    (koha, limits) => koha.availability(patronId, itemId, { branch }, limits),
    deps,
  );
  if (blockers.length > 0) return answered({ result: 'BLOCKED', keys: blockers });
  if (confirms.includes('RENEW_ISSUE')) return answered(ALREADY);
  return { kind: 'confirms', itemId, confirms, token };
}

/** Whether the patron has the item by now; null when not. An unknown item is an answer of its own. */
async function findCheckout(order: CheckoutOrder, deps: StepDeps): Promise<CheckoutOutcome | null> {
  const { lending, patronId, barcode } = order;
  const item = await readAt(lending, (koha, limits) => koha.findItem(barcode, limits), deps);
  if (item === null) return { result: 'ITEM_NOT_FOUND', keys: [] };
  const checkout = await readAt(
    lending,
    (koha, limits) => koha.findCheckout(patronId, item.itemId, limits),
    deps,
  );
  return checkout === null ? null : ALREADY;
}
