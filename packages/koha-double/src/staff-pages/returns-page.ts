import { html } from './html.ts';
import { returnsPath } from './paths.ts';
import { titleOfItem } from './patron-blocks.ts';
import { show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `circ/returns.pl`: takes an item back. */
export const returnsPage: StaffPage = { paths: [returnsPath], answer };

function answer(request: PageRequest): PageAnswer {
  const barcode = request.method === 'POST' ? (request.fields.get('barcode') ?? '').trim() : '';
  const message = barcode === '' ? null : takeBack(request, barcode);
  return show({
    title: 'Check in',
    bodyId: 'circ_returns',
    bodyClass: 'circ',
    main: html`<h1>Check in</h1>
      ${message === null ? null : html`<p class="attention" role="status">${message}</p>`}
      <form id="checkin-form" method="post" action="${returnsPath}" class="scan">
        <input type="hidden" name="csrf_token" value="${request.session.csrfToken}" />
        <input type="hidden" name="op" value="cud-checkin" />
        <label for="barcode">Barcode of the item</label>
        <div>
          <input id="barcode" name="barcode" type="text" autocomplete="off" autofocus required />
          <button type="submit">Check in</button>
        </div>
      </form>`,
  });
}

function takeBack({ double, session }: PageRequest, barcode: string): string {
  const { items, checkouts } = double.db;
  const item = items.withBarcode(barcode);
  if (item === undefined) return 'No item with this barcode.';
  const title = titleOfItem(item.hidden['biblio']);
  const checkout = checkouts.ofItem(item.item_id);
  if (checkout === undefined) return `${title}: not checked out.`;
  checkouts.close(checkout, double.clock.timestamp(), session.libraryId);
  items.put({
    ...item,
    columns: { ...item.columns, checked_out_date: null, holding_library_id: session.libraryId },
  });
  return `${title}: checked in.`;
}
