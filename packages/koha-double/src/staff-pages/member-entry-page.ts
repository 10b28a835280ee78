import { putPatron } from '../control/put-patron.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import { html, type Html } from './html.ts';
import { circulationPath, detailsPath, memberEntryPath } from './paths.ts';
import { redirect, show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `members/memberentry.pl`: the form for a new patron. */
export const memberEntryPage: StaffPage = { paths: [memberEntryPath], answer };

/** The operation that opens the form; the other one opens a page without it. */
const addOp = ({ settings }: Double): string => (isFrom(settings.release, '24.05') ? 'add_form' : 'add');

/** Koha's button on the patron pages: a new patron of each category (patron-toolbar.inc). */
export function newPatronButton(double: Double): Html {
  return html`<div id="toolbar" class="btn-toolbar">
    <details class="btn-group" id="new-patron-button">
      <summary>New patron</summary>
      <ul class="dropdown-menu">
        ${[...double.db.categories.values()].map(
          ({ patron_category_id: id, name }) =>
            html`<li>
              <a href="${memberEntryPath}?op=${addOp(double)}&categorycode=${encodeURIComponent(id)}"
                >${name}</a
              >
            </li>`,
        )}
      </ul>
    </details>
  </div>`;
}

/** Nothing of the address is put into the form of a new patron but its category: memberentry.pl reads all else when it is sent. */
function answer(request: PageRequest): PageAnswer {
  const { double, fields, method } = request;
  if (method === 'POST') return save(request);
  const isForm = fields.get('op') === addOp(double);
  return show({
    title: 'Add patron',
    bodyId: 'pat_memberentrygen',
    bodyClass: 'pat',
    hasHeaderSearch: true,
    main: html`<h1>Add patron</h1>
      ${isForm ? form(request) : null}`,
  });
}

function form({ double, session, fields }: PageRequest): Html {
  const chosen = fields.get('categorycode');
  const box = (name: string, label: string): Html =>
    html`<p>
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="text" value="" />
    </p>`;
  return html`<form id="entryform" method="post" action="${memberEntryPath}" autocomplete="off">
    <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
    <input type="hidden" name="op" value="cud-insert" />
    <input type="hidden" name="destination" value="${fields.get('destination') ?? ''}" />
    ${box('surname', 'Surname')} ${box('firstname', 'First name')} ${box('cardnumber', 'Card number')}
    <p>
      <label for="categorycode_entry">Category</label>
      <select id="categorycode_entry" name="categorycode">
        ${[...double.db.categories.values()].map(
          ({ patron_category_id: id, name }) =>
            html`<option value="${id}" ${id === chosen ? 'selected' : ''}>${name}</option>`,
        )}
      </select>
    </p>
    <button type="submit" id="saverecord">Save</button>
  </form>`;
}

function save({ double, session, fields }: PageRequest): PageAnswer {
  const card = (fields.get('cardnumber') ?? '').trim();
  const patron = putPatron(double, card, {
    surname: fields.get('surname') ?? '',
    firstname: fields.get('firstname') ?? '',
    category_id: fields.get('categorycode') ?? '',
    library_id: session.libraryId,
  });
  const isForCheckout = fields.get('destination') === 'circ';
  return redirect(`${isForCheckout ? circulationPath : detailsPath}?borrowernumber=${patron.patron_id}`);
}
