import { putPatron } from '../control/put-patron.ts';
import type { Double } from '../double.ts';
import { hasPossibleDuplicate } from '../patrons/possible-duplicate.ts';
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
  return page(isForm ? form(request, {}) : null);
}

const page = (main: Html | null): PageAnswer =>
  show({
    title: 'Add patron',
    bodyId: 'pat_memberentrygen',
    bodyClass: 'pat',
    hasHeaderSearch: true,
    main: html`<h1>Add patron</h1>
      ${main}`,
  });

const boxes = { surname: 'Surname', firstname: 'First name', cardnumber: 'Card number' } as const;
type Filled = Partial<Record<keyof typeof boxes, string>>;

function form({ double, session, fields }: PageRequest, filled: Filled, confirm: Html | null = null): Html {
  const chosen = fields.get('categorycode');
  const mandatory = mandatoryFields(double);
  const box = ([name, label]: readonly [string, string]): Html =>
    html`<p>
      <label for="${name}">${label}</label>
      <input
        id="${name}"
        name="${name}"
        type="text"
        value="${filled[name as keyof Filled] ?? ''}"
        ${mandatory.has(name) ? 'required' : ''}
      />
    </p>`;
  return html`<form id="entryform" method="post" action="${memberEntryPath}" autocomplete="off">
    <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
    <input type="hidden" name="op" value="cud-insert" />
    <input type="hidden" name="destination" value="${fields.get('destination') ?? ''}" />
    ${confirm} ${Object.entries(boxes).map(box)}
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

/** Koha can do without a card; rows that are put in by hand cannot. */
const mandatoryFields = ({ settings }: Double): ReadonlySet<string> =>
  new Set(['cardnumber', ...settings.preferences.BorrowerMandatoryField.split('|')]);

/** What Koha does not store, it shows again with all that was filled in. */
function save(request: PageRequest): PageAnswer {
  const { double, session, fields } = request;
  const text = (name: string): string => (fields.get(name) ?? '').trim();
  const filled = { surname: text('surname'), firstname: text('firstname'), cardnumber: text('cardnumber') };
  const refusal = refusalOf(request, filled);
  if (refusal !== null) {
    return page(
      html`<div class="attention" role="alert">${refusal}</div>
        ${form(request, filled)}`,
    );
  }
  if (fields.get('nodouble') !== '1' && looksKnown(double, filled)) {
    return page(form(request, filled, confirmation));
  }
  const patron = putPatron(double, filled.cardnumber, {
    surname: filled.surname,
    firstname: filled.firstname,
    category_id: text('categorycode'),
    library_id: session.libraryId,
  });
  const isForCheckout = fields.get('destination') === 'circ';
  return redirect(`${isForCheckout ? circulationPath : detailsPath}?borrowernumber=${patron.patron_id}`);
}

const confirmation = html`<div class="attention" role="alert">
  <h2>Duplicate patron record?</h2>
  <label
    ><input type="checkbox" id="nodouble" name="nodouble" value="1" /> Not a duplicate. Save as new
    record</label
  >
</div>`;

/**
 * Why no patron is stored: a field is empty that has to be filled in (which Koha's page has the browser check), the card is somebody
 * else's, or the category is not there (which memberentry.pl has `Koha::Patron->store` refuse).
 */
function refusalOf({ double, fields }: PageRequest, filled: Required<Filled>): string | null {
  const category = (fields.get('categorycode') ?? '').trim();
  const mandatory = mandatoryFields(double);
  const all = Object.entries({ ...filled, categorycode: category });
  const missing = all.filter(([name, value]) => value === '' && mandatory.has(name)).map(([name]) => name);
  if (missing.length > 0) return `To be filled in: ${missing.join(', ')}`;
  const { cardnumber } = filled;
  if (cardnumber !== '' && double.db.patrons.withCard(cardnumber) !== undefined) {
    return 'Card number already in use.';
  }
  return double.db.categories.has(category) ? null : 'The patron was not saved.';
}

/** Whether memberentry.pl wants to hear that it is somebody else; it finds everybody where no field is filled in that is compared. */
function looksKnown(double: Double, filled: Required<Filled>): boolean {
  const compared = double.settings.preferences.PatronDuplicateMatchingAddFields.split('|');
  const isComparable = Object.entries(filled).some(
    ([name, value]) => value !== '' && compared.includes(name),
  );
  return isComparable ? hasPossibleDuplicate(double, filled) : [...double.db.patrons.rows()].length > 0;
}
