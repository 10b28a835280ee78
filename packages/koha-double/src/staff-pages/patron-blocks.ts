import type { Double } from '../double.ts';
import { isExpired, isRestricted, type PatronRow } from '../patrons/patron-row.ts';
import { asText, isRecord } from '../record.ts';
import { html, type Html } from './html.ts';
import { circulationPath, detailsPath } from './paths.ts';

export function nameOf(patron: PatronRow): string {
  const { firstname, surname } = patron.columns;
  return [firstname, surname].filter((part) => part !== null && part !== '').join(' ') || 'No name';
}

/** The box at the side of every patron page. */
export function patronBox(double: Double, patron: PatronRow): Html {
  const { columns } = patron;
  const lines = [
    [columns['street_number'], columns['address']].map(asText).join(' ').trim(),
    asText(columns['address2']),
    [columns['postal_code'], columns['city']].map(asText).join(' ').trim(),
    asText(columns['country']),
    asText(columns['email']),
    asText(columns['phone']),
  ].filter((line) => line !== '');
  return html`<div class="patroninfo">
    <h2 dir="auto">${nameOf(patron)}</h2>
    <p class="card">${columns.cardnumber ?? 'No card'}</p>
    <ul class="plain">
      ${lines.map((line) => html`<li dir="auto">${line}</li>`)}
    </ul>
    <dl>
      <dt>Category</dt>
      <dd>${double.db.categories.get(columns.category_id)?.name ?? columns.category_id}</dd>
      <dt>Home library</dt>
      <dd>${double.db.libraries.get(columns.library_id)?.name ?? columns.library_id}</dd>
      <dt>Expires</dt>
      <dd>${columns.expiry_date ?? 'never'}</dd>
    </dl>
    <ul class="links">
      <li><a href="${circulationPath}?borrowernumber=${patron.patron_id}">Check out</a></li>
      <li><a href="${detailsPath}?borrowernumber=${patron.patron_id}">Details</a></li>
    </ul>
  </div>`;
}

/** What staff must know before a checkout. */
export function patronMessages(double: Double, patron: PatronRow): Html | null {
  const today = double.clock.today();
  const { columns } = patron;
  const notes = [
    isRestricted(patron, today) ? 'This patron is restricted.' : null,
    isExpired(patron, today) ? `The card expired on ${columns.expiry_date ?? ''}.` : null,
    columns.patron_card_lost === true ? 'The card is reported lost.' : null,
    columns.incorrect_address === true ? 'The address is in doubt.' : null,
    patron.account_balance > 0 ? `Owes ${patron.account_balance.toFixed(2)}.` : null,
  ].filter((note) => note !== null);
  if (notes.length === 0) return null;
  return html`<div id="circmessages" class="attention">
    <h2>Attention</h2>
    <ul>
      ${notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </div>`;
}

/** The patron's checkouts, newest first. */
export function checkoutTable(double: Double, patron: PatronRow): Html {
  const checkouts = double.db.checkouts.ofPatron(patron.patron_id).toReversed();
  if (checkouts.length === 0) return html`<p id="checkouts-empty" class="quiet">Nothing is checked out.</p>`;
  return html`<table id="issues-table">
    <caption>
      Checkouts (${checkouts.length})
    </caption>
    <thead>
      <tr>
        <th scope="col">Title</th>
        <th scope="col">Barcode</th>
        <th scope="col">Due</th>
        <th scope="col">Checked out at</th>
      </tr>
    </thead>
    <tbody>
      ${checkouts.map((checkout) => {
        const item = checkout.item_id === null ? undefined : double.db.items.get(checkout.item_id);
        return html`<tr>
          <td>${titleOfItem(item?.hidden['biblio'])}</td>
          <td>${item?.columns.external_id ?? ''}</td>
          <td>${checkout.due_date.slice(0, 10)}</td>
          <td>${checkout.library_id}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

export function titleOfItem(biblio: unknown): string {
  return (isRecord(biblio) ? asText(biblio['title']) : '') || 'Untitled';
}
