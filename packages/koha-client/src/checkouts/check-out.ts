import * as z from 'zod';
import { checkoutReasons } from './checkout-keys.ts';
import { badAnswer, firstValue } from '../errors/failure-of.ts';
import { findItem } from './find-item.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { parseJsonBody } from '../answers/json-body.ts';
import { type CallOptions, type Session, read } from '../transport/session.ts';
import type { Answer } from '../answers/read-answer.ts';

export type CheckoutResult =
  | { readonly kind: 'checked_out'; readonly checkoutId: number }
  | { readonly kind: 'blocked'; readonly keys: string[] }
  | { readonly kind: 'needs_confirmation' }
  | { readonly kind: 'item_not_found' }
  | { readonly kind: 'patron_not_found' };

/** What Koha says of a checkout before it is made. Keys are its upper-case reasons; the data that goes with them names other patrons. */
export interface Availability {
  readonly blockers: string[];
  readonly confirms: string[];
  /** Confirms everything in `confirms` at once; null when Koha gives none. */
  readonly token: string | null;
}

export interface CheckoutWish {
  readonly patronId: number;
  readonly barcode: string;
  /** Koha's number of the item where it is already known; saves looking it up on 23.11. */
  readonly itemId?: number;
  /** The token of `availability` for exactly this patron and item. */
  readonly confirmation?: string;
}

const keysSchema = z.record(z.string(), z.unknown()).transform((keys) => checkoutReasons(Object.keys(keys)));
const availabilitySchema = z.object({
  blockers: keysSchema,
  confirms: keysSchema,
  confirmation_token: z
    .string()
    .regex(/^[\w.+/=-]{1,8000}$/)
    .nullable()
    .catch(null),
});
const checkoutSchema = z.object({ checkout_id: z.number().int().positive() });

/**
 * Looks up what stands in the way of a checkout. Not harmless for a statistical patron category: Koha writes a row of statistics
 * (`C4/Circulation.pm`, `CanBookBeIssued`: category type X), and answers 500. Throws KohaError.
 */
export async function availability(
  session: Session,
  patronId: number,
  itemId: number,
  how: { readonly branch: string },
  options?: CallOptions,
): Promise<Availability> {
  const operation = 'GET /checkouts/availability';
  const query = { patron_id: String(patronId), item_id: String(itemId) };
  const request = { operation, query, branch: how.branch } as const;
  const body = await read(session, request, availabilitySchema, options);
  const { blockers, confirms, confirmation_token: token } = body;
  return { blockers, confirms, token };
}

/**
 * Checks an item out, once: one `POST /checkouts`, preceded by `GET /items` where this Koha takes no barcode (23.11) and the item's
 * number is not given. Repeating it after a lost answer is not safe: look for the checkout first. Throws KohaError.
 */
export async function checkOut(
  session: Session,
  wish: CheckoutWish,
  how: { readonly branch: string },
  options?: CallOptions,
): Promise<CheckoutResult> {
  const item = await nameItem(session, wish, options);
  if (item === null) return { kind: 'item_not_found' };
  const answer = await session.call(
    {
      operation: 'POST /checkouts',
      branch: how.branch,
      json: { patron_id: wish.patronId, ...item },
      ...(wish.confirmation === undefined ? {} : { query: { confirmation: wish.confirmation } }),
    },
    options,
  );
  if (answer.status === 400) session.capabilities.forget();
  return readCheckoutAnswer(session, answer);
}

async function nameItem(
  session: Session,
  wish: CheckoutWish,
  options?: CallOptions,
): Promise<{ item_id: number } | { external_id: string } | null> {
  if (wish.itemId !== undefined) return { item_id: wish.itemId };
  const { externalIdCheckout } = await session.capabilities.get(options);
  if (externalIdCheckout) return { external_id: wish.barcode.trim() };
  const found = await findItem(session, wish.barcode, options);
  return found === null ? null : { item_id: found.itemId };
}

function readCheckoutAnswer(session: Session, answer: Answer): CheckoutResult {
  if (answer.status === 201) {
    const shown = checkoutSchema.safeParse(parseJsonBody(answer)).data?.checkout_id;
    const located = /\/checkouts\/(\d{1,15})$/.exec(firstValue(answer.headers['location']) ?? '')?.[1];
    if (shown === undefined && located === undefined) throw badAnswer(session.library, answer);
    return { kind: 'checked_out', checkoutId: shown ?? Number(located) };
  }
  const refusal = parseRefusal(answer);
  if (answer.status === 412 && refusal !== null) return { kind: 'needs_confirmation' };
  const named = `${refusal?.errorCode ?? ''} ${refusal?.error ?? ''}`;
  if (answer.status === 403) {
    const keys = /^Checkout not authorized \(([^)]*)\)/.exec(refusal?.error ?? '')?.[1];
    if (keys !== undefined) return { kind: 'blocked', keys: checkoutReasons(keys.split(/\s+/)) };
  }
  if (answer.status === 409) {
    if (/patron/i.test(named)) return { kind: 'patron_not_found' };
    if (/item/i.test(named)) return { kind: 'item_not_found' };
  }
  throw session.failure(answer);
}
