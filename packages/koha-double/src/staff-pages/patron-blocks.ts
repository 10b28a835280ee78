import { findAvailability, type Availability, type Wish } from '../checkouts/availability.ts';
import { checkOut } from '../checkouts/check-out.ts';
import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { isExpired, isRestricted, type PatronRow } from '../patrons/patron-table.ts';
import { asText, isRecord } from '../record.ts';
import { html, paths, tableHead, type Html, type PageRequest } from './staff-page.ts';

export function nameOf({ columns: { firstname, surname } }: PatronRow): string {
  return [firstname, surname].filter((part) => part !== null && part !== '').join(' ') || 'No name';
}

/** The attributes that Koha shows in that box (`circ-menu.inc`): of types that say so, those with a value. */
function shownAttributes({ db, settings }: Double, { attributes }: PatronRow): Html[] {
  if (settings.preferences.ExtendedPatronAttributes !== '1') return [];
  return attributes.flatMap(({ type, value }) => {
    const { display_checkout: isShown, description } = db.attributeTypes.get(type) ?? {};
    return isShown === true && value !== null && value !== ''
      ? [
          html`<li class="patronattribute">
            <span class="patronattributelabel">${description}</span>: ${value}
          </li>`,
        ]
      : [];
  });
}

/** The box at the side of every patron page. */
export function patronBox(double: Double, patron: PatronRow): Html {
  const { db } = double;
  const { columns, patron_id: id } = patron;
  const lines = [
    ['street_number', 'address'],
    ['address2'],
    ['postal_code', 'city'],
    ['country'],
    ['email'],
    ['phone'],
  ]
    .map((names) =>
      names
        .map((name) => asText(columns[name]))
        .join(' ')
        .trim(),
    )
    .filter((line) => line !== '');
  return html`<div class="patroninfo">
    <h2 dir="auto">${nameOf(patron)}</h2>
    <p class="card">${columns.cardnumber ?? 'No card'}</p>
    <ul class="plain">
      ${lines.map((line) => html`<li dir="auto">${line}</li>`)} ${shownAttributes(double, patron)}
    </ul>
    <dl>
      <dt>Category</dt>
      <dd>${db.categories.get(columns.category_id)?.name ?? columns.category_id}</dd>
      <dt>Home library</dt>
      <dd>${db.libraries.get(columns.library_id)?.name ?? columns.library_id}</dd>
      <dt>Expires</dt>
      <dd>${columns.expiry_date ?? 'never'}</dd>
    </dl>
    <ul class="links">
      <li><a href="${paths.circulation}?borrowernumber=${id}">Check out</a></li>
      <li><a href="${paths.details}?borrowernumber=${id}">Details</a></li>
    </ul>
  </div>`;
}

/** What staff must know before a checkout. */
export function patronMessages({ clock }: Double, patron: PatronRow): Html | null {
  const today = clock.today();
  const { columns } = patron;
  const notes = [
    isRestricted(patron, today) && 'This patron is restricted.',
    isExpired(patron, today) && `The card expired on ${columns.expiry_date ?? ''}.`,
    columns.patron_card_lost === true && 'The card is reported lost.',
    columns.incorrect_address === true && 'The address is in doubt.',
    patron.account_balance > 0 && `Owes ${patron.account_balance.toFixed(2)}.`,
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return html`<div id="circmessages" class="attention">
    <h2>Attention</h2>
    <ul>
      ${notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </div>`;
}

/** The patron's checkouts, newest first. */
export function checkoutTable({ db }: Double, patron: PatronRow): Html {
  const checkouts = db.checkouts.ofPatron(patron.patron_id).toReversed();
  if (checkouts.length === 0) return html`<p id="checkouts-empty" class="quiet">Nothing is checked out.</p>`;
  return html`<table id="issues-table">
    <caption>
      Checkouts (${checkouts.length})
    </caption>
    ${tableHead('Title', 'Barcode', 'Due', 'Checked out at')}
    <tbody>
      ${checkouts.map((checkout) => {
        const item = db.items.get(checkout.item_id ?? 0);
        return html`<tr>
          <td>${titleOfItem(item)}</td>
          <td>${item?.columns.external_id}</td>
          <td>${checkout.due_date.slice(0, 10)}</td>
          <td>${checkout.library_id}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

export function titleOfItem(item: ItemRow | undefined): string {
  const biblio = item?.hidden['biblio'];
  return (isRecord(biblio) ? asText(biblio['title']) : '') || 'Untitled';
}

/** What a scanned item came to. */
export type DeskResult =
  | { readonly kind: 'checked_out' }
  | { readonly kind: 'no_item' }
  | { readonly kind: 'blocked' | 'unconfirmed'; readonly keys: readonly string[] };

/** Checks the item of a form out to a patron who stands at the desk or at the self-check. `isConfirmed`: staff saw the reasons and said yes. */
export function checkOutAtDesk(
  { double, session, fields }: PageRequest,
  patron: PatronRow,
  isConfirmed: boolean,
): DeskResult {
  const item = double.db.items.withBarcode((fields.get('barcode') ?? '').trim());
  if (item === undefined) return { kind: 'no_item' };
  const wish: Wish = { double, patron, item, actingLibrary: session.libraryId, isSuperlibrarian: false };
  const found = findAvailability(wish);
  const blockers = reasons(found.blockers);
  if (blockers.length > 0) return { kind: 'blocked', keys: blockers };
  const confirms = reasons(found.confirms);
  if (confirms.length > 0 && !isConfirmed) return { kind: 'unconfirmed', keys: confirms };
  checkOut(wish);
  return { kind: 'checked_out' };
}

/** The upper-case keys are reasons, the others only data that goes with them. */
function reasons(group: Availability['blockers']): string[] {
  return Object.keys(group).filter((key) => /^[A-Z_]+$/.test(key));
}
