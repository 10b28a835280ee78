import type { Progress } from '@passport/contract';
import type { Step } from './step.ts';

/** The checkout to make: to this record and no other, as the branch of the scan. */
export interface CheckoutOrder {
  readonly lending: string;
  readonly patronId: number;
  readonly barcode: string;
  readonly branch: string;
  /** Koha's keys that may be confirmed without a person. */
  readonly confirm: readonly string[];
  /** Milliseconds until a checkout must not be sent any more; negative when it is too late. */
  readonly sendingLeftMs: () => number;
  /** Notes in the job that it is about to be sent. Throws LockLost or ScanCancelled. */
  readonly noteSending: () => Promise<void>;
}

export type CheckoutOutcome = NonNullable<Progress['checkout']>;

export const ALREADY: CheckoutOutcome = { result: 'ALREADY_CHECKED_OUT', keys: [] };

type LookedUp =
  | { readonly kind: 'answered'; readonly result: CheckoutOutcome }
  | {
      readonly kind: 'confirms';
      readonly itemId: number;
      readonly confirms: string[];
      readonly token: string | null;
    };

/** What Koha wants confirmed before it checks the item out, unless that says already how it stands. */
export async function lookUpKeys(order: CheckoutOrder, step: Step): Promise<LookedUp> {
  const { lending, patronId, barcode, branch } = order;
  const answered = (result: CheckoutOutcome): LookedUp => ({ kind: 'answered', result });
  const item = await step.read(lending, (koha, limits) => koha.findItem(barcode, limits));
  if (item === null) return answered({ result: 'ITEM_NOT_FOUND', keys: [] });
  const { itemId } = item;
  const { blockers, confirms, token } = await step.read(lending, (koha, limits) =>
    koha.availability(patronId, itemId, { branch }, limits),
  );
  if (blockers.length > 0) return answered({ result: 'BLOCKED', keys: blockers });
  if (confirms.includes('RENEW_ISSUE')) return answered(ALREADY);
  return { kind: 'confirms', itemId, confirms, token };
}

/** Whether the patron has the item by now; null when not. An unknown item is an answer of its own. */
export async function findCheckout(order: CheckoutOrder, step: Step): Promise<CheckoutOutcome | null> {
  const { lending, patronId, barcode } = order;
  const item = await step.read(lending, (koha, limits) => koha.findItem(barcode, limits));
  if (item === null) return { result: 'ITEM_NOT_FOUND', keys: [] };
  const checkout = await step.read(lending, (koha, limits) =>
    koha.findCheckout(patronId, item.itemId, limits),
  );
  return checkout === null ? null : ALREADY;
}

/** Whether Koha has anonymised the record since an earlier run knew it. */
export async function isAnonymized({ lending, patronId }: CheckoutOrder, step: Step): Promise<boolean> {
  const patron = await step.read(lending, (koha, limits) => koha.readPatron(patronId, limits));
  return patron?.anonymized === true;
}
