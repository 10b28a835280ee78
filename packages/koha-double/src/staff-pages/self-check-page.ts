import type { PatronRow } from '../patrons/patron-row.ts';
import { transformCard } from '../patrons/transform-card.ts';
import { firstScan } from '../plugin/first-scan.ts';
import { sentenceOf } from './circulation-page.ts';
import { html, type Html } from './html.ts';
import { selfCheckPath } from './paths.ts';
import { checkOutAtDesk, type DeskResult } from './check-out-at-desk.ts';
import { checkoutTable, nameOf } from './patron-blocks.ts';
import { show, type Page, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `sco/sco-main.pl`: patrons check out for themselves, by their card. What cannot be checked out is a matter for the desk. */
export const selfCheckPage: StaffPage = {
  paths: [selfCheckPath, '/cgi-bin/koha/opac/sco/sco-main.pl'],
  answer,
};

async function answer(request: PageRequest): Promise<PageAnswer> {
  const { double, fields } = request;
  if (double.settings.preferences.WebBasedSelfCheck !== '1') {
    return show(page(html`<p class="attention">The self-check is switched off.</p>`), 404);
  }
  const card = (fields.get('patronid') ?? '').trim();
  if (request.method === 'GET' || card === '') return show(page(cardForm(request, null)));
  const patron = await findPatron(request, transformCard(request.double, card));
  if (patron === undefined) return show(page(cardForm(request, card)));
  const barcode = (fields.get('barcode') ?? '').trim();
  const result = barcode === '' ? null : checkOut(request, patron, barcode);
  return show(page(patronView(request, patron, result, barcode)));
}

async function findPatron(request: PageRequest, card: string): Promise<PatronRow | undefined> {
  const { double, session } = request;
  await firstScan(double, {
    cardnumber: card,
    branch: session.libraryId,
    interface: 'self_check',
    operator: session.patronId,
  });
  return double.db.patrons.withCard(card);
}

function checkOut({ double, session }: PageRequest, patron: PatronRow, barcode: string): DeskResult {
  return checkOutAtDesk({
    double,
    patron,
    barcode,
    libraryId: session.libraryId,
    issuerId: session.patronId,
    isConfirmed: false,
  });
}

function page(main: Html): Page {
  return {
    title: 'Self-check',
    bodyId: 'sco_main',
    bodyClass: 'sco',
    main: html`<h1>Self-check</h1>
      ${main}`,
  };
}

function cardForm({ session }: PageRequest, nouser: string | null): Html {
  return html`${
      nouser === null
        ? null
        : html`<div id="nouser" class="attention" role="alert">
            <p>
              Sorry, the card <strong>${nouser}</strong> is not known here. Please try again, or ask at the
              desk.
            </p>
          </div>`
    }
    <form id="mainform" method="post" action="${selfCheckPath}" class="scan">
      <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
      <input type="hidden" name="op" value="cud-login" />
      <label for="patronid">Please scan your card</label>
      <div>
        <input id="patronid" name="patronid" type="text" autocomplete="off" autofocus required />
        <button type="submit">Go on</button>
      </div>
    </form>`;
}

function patronView(
  request: PageRequest,
  patron: PatronRow,
  result: DeskResult | null,
  barcode: string,
): Html {
  const { session, double } = request;
  return html`<h2>Hello, <span dir="auto">${nameOf(patron)}</span></h2>
    ${result === null ? null : checkoutMessage(result, barcode)}
    <form id="mainform" method="post" action="${selfCheckPath}" class="scan">
      <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
      <input type="hidden" name="op" value="cud-checkout" />
      <input type="hidden" name="patronid" value="${patron.columns.cardnumber}" />
      <label for="barcode">Please scan each item</label>
      <div>
        <input id="barcode" name="barcode" type="text" autocomplete="off" autofocus required />
        <button type="submit">Check out</button>
      </div>
    </form>
    ${checkoutTable(double, patron)}
    <p><a class="button" href="${selfCheckPath}">Finish</a></p>`;
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
        <ul>
          ${result.keys.map((key) => html`<li>${sentenceOf(key)}</li>`)}
        </ul>
      </div>`;
    default:
      return result satisfies never;
  }
}
