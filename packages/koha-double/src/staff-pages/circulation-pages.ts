import { checkIn } from '../checkouts/check-in.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import { transformCard } from '../patrons/patron-columns.ts';
import { firstScan } from '../plugin/first-scan.ts';
import {
  checkOutAtDesk,
  checkoutTable,
  nameOf,
  patronBox,
  patronMessages,
  titleOfItem,
  type DeskResult,
} from './patron-blocks.ts';
import {
  checkoutMethod,
  hiddenFields,
  html,
  paths,
  redirect,
  scanForm,
  show,
  type Html,
  type Page,
  type PageAnswer,
  type PageRequest,
  type StaffPage,
} from './staff-page.ts';

const circulation = (title: string, main: Html, more: Partial<Page> = {}, status = 200): PageAnswer =>
  show({ title, body: ['circ_circulation', 'circ'], main, ...more }, status);

/** `circ/circulation.pl`: the checkout box, and the checkout of a patron. */
export const circulationPage: StaffPage = {
  paths: [paths.circulation],
  async answer(request) {
    const { fields, double, method } = request;
    const card = (fields.get('findborrower') ?? '').trim();
    if (card !== '') return findForDesk(request, transformCard(double, card));
    const id = fields.get('borrowernumber');
    if (id === null) return startPage(request);
    const patron = double.db.patrons.get(Number(id));
    if (patron === undefined) return startPage(request, 'There is no such patron.', 404);
    return method === 'GET' ? patronPage(request, patron, null) : checkOut(request, patron);
  },
};

/** The plugin's hook comes first and may wait for a copy. */
async function findByCard(
  { double, session, isFromElsewhere }: PageRequest,
  cardnumber: string,
  from: 'staff' | 'self_check',
): Promise<PatronRow | undefined> {
  const { libraryId: branch, patronId: operator, id } = session;
  if (!isFromElsewhere) {
    await firstScan(double, { cardnumber, branch, interface: from, operator, session: id });
  }
  return double.db.patrons.withCard(cardnumber);
}

/** By card number only, as Koha does here. Who is unknown is looked for on the patron search page, whatever was typed. */
async function findForDesk(request: PageRequest, text: string): Promise<PageAnswer> {
  const patron = await findByCard(request, text, 'staff');
  if (patron !== undefined) return patronPage(request, patron, null);
  const query = new URLSearchParams({
    quicksearch: '1',
    circsearch: '1',
    searchmember: text.replaceAll(',', ' '),
  });
  return redirect(`${paths.members}?${query.toString()}`);
}

/** The page comes of the form itself: its address has no query. */
function checkOut(request: PageRequest, patron: PatronRow): PageAnswer {
  const { fields, double } = request;
  // of a box that is disabled, nothing is sent
  const barcode = fields.get('barcode');
  if (barcode === '' && double.settings.preferences.CircAutoPrintQuickSlip === 'clear')
    return startPage(request);
  if (barcode === null || barcode === '') return patronPage(request, patron, null);
  const result = checkOutAtDesk(request, patron, fields.get('issueconfirmed') === '1');
  return patronPage(request, patron, result.kind === 'checked_out' ? null : result);
}

const startPage = (request: PageRequest, message?: string, status = 200): PageAnswer =>
  circulation(
    'Check out',
    html`<h1>Check out</h1>
      ${message && html`<p class="attention" role="alert">${message}</p>`}
      ${scanForm({
        id: 'patronsearch',
        method: checkoutMethod(request),
        action: paths.circulation,
        box: 'findborrower',
        label: 'Card number or part of a name',
        button: 'Submit',
      })}`,
    { hasCheckoutBox: true },
    status,
  );

type Refused = Exclude<DeskResult, { kind: 'checked_out' }>;

function patronPage(request: PageRequest, patron: PatronRow, result: Refused | null): PageAnswer {
  const { double } = request;
  const name = nameOf(patron);
  return circulation(
    `Checking out to ${name}`,
    html`<h1>Check out</h1>
      ${patronMessages(double, patron)} ${result && refusal(request, patron, result)}
      ${scanForm({
        id: 'mainform',
        action: paths.circulation,
        box: 'barcode',
        label: html`Checking out to <span dir="auto">${name}</span> (${patron.columns.cardnumber ?? ''})`,
        button: 'Check out',
        hidden: html`${hiddenFields(request, 'cud-checkout', { borrowernumber: patron.patron_id })}
          <input
            type="hidden"
            id="autoprint"
            value="${double.settings.preferences.CircAutoPrintQuickSlip}"
          />`,
        is: result?.kind === 'unconfirmed' ? 'disabled' : 'autofocus',
      })}
      ${checkoutTable(double, patron)}`,
    { aside: patronBox(double, patron), scripts: [paths.checkout] },
  );
}

function refusal(request: PageRequest, patron: PatronRow, result: Refused): Html {
  const barcode = request.fields.get('barcode') ?? '';
  if (result.kind === 'no_item') {
    return html`<div id="circ_impossible" class="attention" role="alert">
      <h2>The barcode is not known: <strong>${barcode}</strong></h2>
    </div>`;
  }
  if (result.kind === 'blocked') {
    return html`<div id="circ_impossible" class="attention" role="alert">
      <h2>Cannot check out</h2>
      ${reasonList(result.keys)}
    </div>`;
  }
  const { patron_id: borrowernumber } = patron;
  return html`<div id="circ_needsconfirmation" class="attention" role="alert">
    <h2>Please confirm checkout</h2>
    ${reasonList(result.keys)}
    <form method="post" action="${paths.circulation}">
      ${hiddenFields(request, 'cud-checkout', { issueconfirmed: '1', borrowernumber, barcode })}
      <button type="submit">Yes, check out</button>
      <a href="${paths.circulation}?borrowernumber=${borrowernumber}">No, don't check out</a>
    </form>
  </div>`;
}

const reasonList = (keys: readonly string[]): Html =>
  html`<ul>
    ${keys.map((key) => html`<li>${sentences[key] ?? key}</li>`)}
  </ul>`;

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

/** `circ/returns.pl`: takes an item back. */
export const returnsPage: StaffPage = {
  paths: [paths.returns],
  answer(request) {
    const barcode = request.method === 'POST' ? (request.fields.get('barcode') ?? '').trim() : '';
    return show({
      title: 'Check in',
      body: ['circ_returns', 'circ'],
      main: html`<h1>Check in</h1>
        ${barcode && html`<p class="attention" role="status">${takeBack(request, barcode)}</p>`}
        ${scanForm({
          id: 'checkin-form',
          action: paths.returns,
          box: 'barcode',
          label: 'Barcode of the item',
          button: 'Check in',
          hidden: hiddenFields(request, 'cud-checkin'),
        })}`,
    });
  },
};

function takeBack({ double, session }: PageRequest, barcode: string): string {
  const { items, checkouts } = double.db;
  const item = items.withBarcode(barcode);
  if (item === undefined) return 'No item with this barcode.';
  const title = titleOfItem(item);
  if (checkouts.ofItem(item.item_id) === undefined) return `${title}: not checked out.`;
  checkIn(double, item, session.libraryId);
  return `${title}: checked in.`;
}

/** `sco/sco-main.pl`: patrons check out for themselves, by their card. What cannot be checked out is a matter for the desk. */
export const selfCheckPage: StaffPage = {
  paths: [paths.selfCheck, '/cgi-bin/koha/opac/sco/sco-main.pl'],
  async answer(request) {
    const { double, fields, method } = request;
    if (double.settings.preferences.WebBasedSelfCheck !== '1') {
      return selfCheck(html`<p class="attention">The self-check is switched off.</p>`, 404);
    }
    const card = (fields.get('patronid') ?? '').trim();
    if (method === 'GET' || card === '') return selfCheck(cardForm(request, null));
    const patron = await findByCard(request, transformCard(double, card), 'self_check');
    return selfCheck(patron === undefined ? cardForm(request, card) : patronView(request, patron));
  },
};

const selfCheck = (main: Html, status = 200): PageAnswer =>
  show(
    {
      title: 'Self-check',
      body: ['sco_main', 'sco'],
      main: html`<h1>Self-check</h1>
        ${main}`,
    },
    status,
  );

const cardForm = (request: PageRequest, unknown: string | null): Html =>
  html`${
    unknown &&
    html`<div id="nouser" class="attention" role="alert">
      <p>
        Sorry, the card <strong>${unknown}</strong> is not known here. Please try again, or ask at the desk.
      </p>
    </div>`
  }
  ${scanForm({
    id: 'mainform',
    action: paths.selfCheck,
    box: 'patronid',
    label: 'Please scan your card',
    button: 'Go on',
    hidden: hiddenFields(request, 'cud-login'),
  })}`;

function patronView(request: PageRequest, patron: PatronRow): Html {
  const barcode = (request.fields.get('barcode') ?? '').trim();
  const result = barcode === '' ? null : checkOutAtDesk(request, patron, false);
  return html`<h2>Hello, <span dir="auto">${nameOf(patron)}</span></h2>
    ${result && checkoutMessage(result, barcode)}
    ${scanForm({
      id: 'mainform',
      action: paths.selfCheck,
      box: 'barcode',
      label: 'Please scan each item',
      button: 'Check out',
      hidden: hiddenFields(request, 'cud-checkout', { patronid: patron.columns.cardnumber ?? '' }),
    })}
    ${checkoutTable(request.double, patron)}
    <p><a class="button" href="${paths.selfCheck}">Finish</a></p>`;
}

function checkoutMessage(result: DeskResult, barcode: string): Html {
  switch (result.kind) {
    case 'checked_out':
      return html`<p class="good" role="status">Checked out: ${barcode}</p>`;
    case 'no_item':
      return html`<p class="attention" role="alert">This item is not known here. Please ask at the desk.</p>`;
    case 'blocked':
    case 'unconfirmed':
      return html`<div class="attention" role="alert">
        <p>This cannot be checked out here. Please ask at the desk.</p>
        ${reasonList(result.keys)}
      </div>`;
    default:
      return result satisfies never;
  }
}
