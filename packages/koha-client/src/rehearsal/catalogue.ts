import * as z from 'zod';
import { badAnswer, firstValue } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { parseJsonBody } from '../answers/json-body.ts';
import { listRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../answers/read-answer.ts';

// What only a rehearsal sends: it makes its own biblios and items, and removes them. Nothing here is called by the service.

/** `made` with Koha's number of it; `refused` with the status, and Koha's own word for the reason where it is one that can be one. */
export type Made =
  | { readonly kind: 'made'; readonly id: number }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null };

export type Removed =
  | { readonly kind: 'removed' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null };

const idSchema = z.number().int().positive();

/** What Koha calls a reason; anything longer or else is none of its codes. */
const codeOf = (answer: Answer): string | null => {
  const code = parseRefusal(answer)?.errorCode ?? null;
  return code !== null && /^[A-Za-z_]{1,40}$/.test(code) ? code : null;
};

/** A refusal that says something of what was sent; all else, permissions too, is a failure. */
function refusedBy(session: Session, answer: Answer): Extract<Made, { kind: 'refused' }> {
  const isOfTheRequest = [400, 404, 406, 409].includes(answer.status) && parseRefusal(answer) !== null;
  if (!isOfTheRequest) throw session.failure(answer);
  return { kind: 'refused', status: answer.status, code: codeOf(answer) };
}

/** The number in an answer to a create: under `key` of the body, or at the end of its Location. */
export function readMade(session: Session, answer: Answer, key: string): Made {
  if (answer.status !== 200 && answer.status !== 201) return refusedBy(session, answer);
  const shown = z.object({ [key]: idSchema }).safeParse(parseJsonBody(answer)).data?.[key];
  const located = /\/(\d{1,15})$/.exec(firstValue(answer.headers['location']) ?? '')?.[1];
  const id = shown ?? (located === undefined ? undefined : Number(located));
  if (id === undefined) throw badAnswer(session.library, answer);
  return { kind: 'made', id };
}

/** The end of an answer to a removal. An application's 404 says that it is not there; any other, that the route is not. */
export function readRemoved(session: Session, answer: Answer): Removed {
  // Older releases answer 200 with an empty body where newer ones answer 204.
  if (answer.status === 204 || answer.status === 200) return { kind: 'removed' };
  if (answer.status === 404 && (parseRefusal(answer)?.error ?? '') !== '') return { kind: 'gone' };
  return refusedBy(session, answer);
}

/** Makes a biblio with this title in MARC 21, whatever else Koha wants of one. A lost answer: look for the title. Throws KohaError. */
export async function makeBiblio(session: Session, title: string, options?: CallOptions): Promise<Made> {
  const fields = [{ '245': { subfields: [{ a: title }], ind1: '0', ind2: '0' } }];
  const json = { leader: '00000nam a2200000 a 4500', fields };
  const headers = { 'x-record-schema': 'MARC21', 'x-confirm-not-duplicate': '1' };
  const request = {
    operation: 'POST /biblios',
    json,
    jsonType: 'application/marc-in-json',
    headers,
  } as const;
  return readMade(session, await session.call(request, options), 'id');
}

const biblioSchema = z.object({ biblio_id: idSchema, title: z.string().max(1_000).nullable() });

/** The biblios with exactly this title. Throws KohaError. */
export async function findBiblios(
  session: Session,
  title: string,
  options?: CallOptions,
): Promise<{ readonly biblioId: number }[]> {
  const request = { operation: 'GET /biblios', where: { title }, key: 'biblio_id' } as const;
  const rows = await listRows(session, request, biblioSchema, options);
  return rows.filter((row) => row.title?.trim() === title).map(({ biblio_id: biblioId }) => ({ biblioId }));
}

/** Removes a biblio; refused while it has items. Throws KohaError. */
export async function removeBiblio(
  session: Session,
  biblioId: number,
  options?: CallOptions,
): Promise<Removed> {
  const places = { biblio_id: biblioId };
  return readRemoved(
    session,
    await session.call({ operation: 'DELETE /biblios/{biblio_id}', places }, options),
  );
}

/** Makes an item of a biblio at a branch. A lost answer: look for the barcode. Throws KohaError. */
export async function makeItem(
  session: Session,
  item: {
    readonly biblioId: number;
    readonly barcode: string;
    readonly branch: string;
    readonly itemType: string;
  },
  options?: CallOptions,
): Promise<Made> {
  const answer = await session.call(
    {
      operation: 'POST /biblios/{biblio_id}/items',
      places: { biblio_id: item.biblioId },
      json: {
        external_id: item.barcode,
        home_library_id: item.branch,
        holding_library_id: item.branch,
        item_type_id: item.itemType,
      },
    },
    options,
  );
  return readMade(session, answer, 'item_id');
}

/** Removes an item; refused while it is checked out. Throws KohaError. */
export async function removeItem(session: Session, itemId: number, options?: CallOptions): Promise<Removed> {
  const places = { item_id: itemId };
  return readRemoved(session, await session.call({ operation: 'DELETE /items/{item_id}', places }, options));
}

/**
 * Checks an item in. Koha's API has no route of that name; adding a checked-out item to the bundle of another one does it, when it is told
 * to (`Koha/Item.pm`, `add_to_bundle`: `force_checkin`), and the item leaves the bundle at once. Both items are the caller's own.
 * Throws KohaError.
 */
export async function checkIn(
  session: Session,
  item: { readonly itemId: number; readonly barcode: string; readonly hostItemId: number },
  how: { readonly branch: string },
  options?: CallOptions,
): Promise<Removed> {
  const places = { item_id: item.hostItemId };
  const json = { external_id: item.barcode, force_checkin: true, ignore_holds: true };
  const request = { operation: 'POST /items/{item_id}/bundled_items', places, json, ...how } as const;
  const added = await session.call(request, options);
  // 409 `already_bundled`: an earlier try came as far as this.
  if (added.status !== 201 && codeOf(added) !== 'already_bundled') return readRemoved(session, added);
  const operation = 'DELETE /items/{item_id}/bundled_items/{bundled_item_id}';
  const both = { item_id: item.hostItemId, bundled_item_id: item.itemId };
  return readRemoved(session, await session.call({ operation, places: both }, options));
}
