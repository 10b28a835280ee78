import type { PatronRow } from '../patrons/patron-row.ts';
import { transformCard } from '../patrons/transform-card.ts';
import { firstScan } from '../plugin/first-scan.ts';
import { html, type Html } from './html.ts';
import { circulationPath, memberPath } from './paths.ts';
import { checkOutAtDesk, type DeskResult } from './check-out-at-desk.ts';
import { checkoutTable, nameOf, patronBox, patronMessages } from './patron-blocks.ts';
import { redirect, show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `circ/circulation.pl`: the checkout box, and the checkout of a patron. */
export const circulationPage: StaffPage = { paths: [circulationPath], answer };

async function answer(request: PageRequest): Promise<PageAnswer> {
  const { fields, double } = request;
  const found = fields.get('findborrower') ?? '';
  if (found.trim() !== '') return findPatron(request, transformCard(double, found.trim()));
  const id = fields.get('borrowernumber');
  if (id === null) return show(startPage());
  const patron = double.db.patrons.get(Number(id));
  if (patron === undefined) return show(startPage('There is no such patron.'), 404);
  if (request.method === 'GET') return show(patronPage(request, patron, null, ''));
  return checkOut(request, patron);
}

/**
 * By card number only, as Koha does here. The plugin's hook comes first and may wait for a copy; who is still unknown
 * then is looked for on the patron search page, whatever was typed.
 */
async function findPatron(request: PageRequest, text: string): Promise<PageAnswer> {
  const { double, session } = request;
  await firstScan(double, {
    cardnumber: text,
    branch: session.libraryId,
    interface: 'staff',
    operator: session.patronId,
  });
  const patron = double.db.patrons.withCard(text);
  if (patron !== undefined) return show(patronPage(request, patron, null, ''));
  const query = new URLSearchParams({
    quicksearch: '1',
    circsearch: '1',
    searchmember: text.replaceAll(',', ' '),
  });
  return redirect(`${memberPath}?${query.toString()}`);
}

function checkOut(request: PageRequest, patron: PatronRow): PageAnswer {
  const { double, session, fields } = request;
  const barcode = fields.get('barcode') ?? '';
  const result = checkOutAtDesk({
    double,
    patron,
    barcode,
    libraryId: session.libraryId,
    issuerId: session.patronId,
    isConfirmed: fields.get('issueconfirmed') === '1',
  });
  if (result.kind === 'checked_out') return redirect(`${circulationPath}?borrowernumber=${patron.patron_id}`);
  return show(patronPage(request, patron, result, barcode));
}

function startPage(message?: string): Parameters<typeof show>[0] {
  return {
    title: 'Check out',
    bodyId: 'circ_circulation',
    bodyClass: 'circ',
    main: html`<h1>Check out</h1>
      ${message === undefined ? null : html`<p class="attention" role="alert">${message}</p>`}
      <form id="patronsearch" method="get" action="${circulationPath}" class="scan">
        <label for="findborrower">Card number or part of a name</label>
        <div>
          <input id="findborrower" name="findborrower" type="text" autocomplete="off" autofocus required />
          <button type="submit">Submit</button>
        </div>
      </form>`,
  };
}

function patronPage(
  request: PageRequest,
  patron: PatronRow,
  result: Exclude<DeskResult, { kind: 'checked_out' }> | null,
  barcode: string,
): Parameters<typeof show>[0] {
  const { double, session } = request;
  return {
    title: `Checking out to ${nameOf(patron)}`,
    bodyId: 'circ_circulation',
    bodyClass: 'circ',
    aside: patronBox(double, patron),
    main: html`<h1>
        Checking out to <span dir="auto">${nameOf(patron)}</span> (${patron.columns.cardnumber ?? ''})
      </h1>
      ${patronMessages(double, patron)} ${result === null ? null : refusal(request, patron, result, barcode)}
      <form id="mainform" method="post" action="${circulationPath}" class="scan">
        <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
        <input type="hidden" name="op" value="cud-checkout" />
        <input type="hidden" name="borrowernumber" value="${patron.patron_id}" />
        <label for="barcode">Barcode of the item</label>
        <div>
          <input id="barcode" name="barcode" type="text" autocomplete="off" autofocus required />
          <button type="submit">Check out</button>
        </div>
      </form>
      ${checkoutTable(double, patron)}`,
  };
}

function refusal(
  { session }: PageRequest,
  patron: PatronRow,
  result: Exclude<DeskResult, { kind: 'checked_out' }>,
  barcode: string,
): Html {
  if (result.kind === 'no_item') {
    return html`<div id="circ_impossible" class="attention" role="alert">
      <h2>The barcode is not known: <strong>${barcode}</strong></h2>
    </div>`;
  }
  const keys = html`<ul>
    ${result.keys.map((key) => html`<li>${sentenceOf(key)}</li>`)}
  </ul>`;
  if (result.kind === 'blocked') {
    return html`<div id="circ_impossible" class="attention" role="alert">
      <h2>Cannot check out</h2>
      ${keys}
    </div>`;
  }
  return html`<div id="circ_needsconfirmation" class="attention" role="alert">
    <h2>Please confirm checkout</h2>
    ${keys}
    <form method="post" action="${circulationPath}">
      <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
      <input type="hidden" name="op" value="cud-checkout" />
      <input type="hidden" name="issueconfirmed" value="1" />
      <input type="hidden" name="borrowernumber" value="${patron.patron_id}" />
      <input type="hidden" name="barcode" value="${barcode}" />
      <button type="submit">Yes, check out</button>
      <a href="${circulationPath}?borrowernumber=${patron.patron_id}">No, don't check out</a>
    </form>
  </div>`;
}

const sentences: Readonly<Record<string, string>> = {
  GNA: 'The address of the patron is in doubt.',
  CARD_LOST: 'The card is reported lost.',
  DEBARRED: 'The patron is restricted.',
  USERBLOCKEDNOENDDATE: 'The restriction has no end.',
  USERBLOCKEDWITHENDDATE: 'The restriction has an end.',
  EXPIRED: 'The card has expired.',
  DEBT: 'The patron owes money.',
  TOO_MANY: 'Too many checked out.',
  PATRON_CANT: 'No circulation rule lets this patron borrow this.',
  NOT_FOR_LOAN: 'The item is not for loan.',
  WTHDRAWN: 'The item is withdrawn.',
  RESTRICTED: 'The item is restricted.',
  AGE_RESTRICTION: 'The patron is too young for the item.',
  ISSUED_TO_ANOTHER: 'The item is checked out to another patron.',
  RENEW_ISSUE: 'The item is checked out to this patron already: renew it?',
  NO_MORE_RENEWALS: 'The item cannot be renewed again.',
  RESERVED: 'Another patron has a hold on the item.',
  RESERVE_WAITING: 'The item waits for another patron.',
  RENTALCHARGE: 'There is a charge for the item.',
  ADDITIONAL_MATERIALS: 'Check that all parts are there.',
};

export function sentenceOf(key: string): string {
  return sentences[key] ?? key;
}
