import { putPatron } from '../control/put-rows.ts';
import type { Double } from '../double.ts';
import { hasPossibleDuplicate } from '../patrons/patron-columns.ts';
import { patronFields } from '../patrons/patron-fields.ts';
import { asText } from '../record.ts';
import { isFrom } from '../release.ts';
import { checkoutTable, nameOf, patronBox, patronMessages } from './patron-blocks.ts';
import {
  hiddenFields,
  html,
  paths,
  redirect,
  show,
  tableHead,
  type Html,
  type PageAnswer,
  type PageRequest,
  type StaffPage,
} from './staff-page.ts';

/** `members/member.pl`: the patron search, filled by a script from the API, with the ids that scripts go by. */
export const memberPage: StaffPage = {
  paths: [paths.members, '/cgi-bin/koha/members/members-home.pl'],
  answer({ fields, double }) {
    const text = fields.get('searchmember') ?? '';
    const isCirculation = fields.get('circsearch') === '1';
    return show({
      title: 'Patron search',
      body: ['pat_member', 'pat'],
      hasHeaderSearch: true,
      scripts: [paths.memberSearch],
      main: html`<h1>Patrons</h1>
        ${newPatronButton(double)}
        <form id="patron_search_form" method="get" action="${paths.members}" class="scan">
          <label for="search_patron_filter">Search for</label>
          <div>
            <input
              id="search_patron_filter"
              name="searchmember"
              type="text"
              value="${text}"
              autocomplete="off"
            />
            <button type="submit">Search</button>
            <a href="#" id="clear_search">Clear</a>
          </div>
        </form>
        <p class="quiet">
          Browse by last name:
          ${[...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map(
            (letter) => html`<a href="#" class="filterByLetter">${letter}</a> `,
          )}
        </p>
        <div id="searchresults" ${text === '' ? 'hidden' : ''} data-circsearch="${isCirculation ? '1' : '0'}">
          <h2>Patrons found for: <span dir="auto">${text}</span></h2>
          <p id="search-status" class="quiet" role="status">Searching …</p>
          <table id="memberresultst" tabindex="0" hidden>
            ${tableHead('Card', 'Name', 'Born', 'Category', 'Library')}
            <tbody></tbody>
          </table>
        </div>`,
    });
  },
};

/** The operation that opens the form for a new patron; the other one opens a page without it. */
const addOp = ({ settings }: Double): string => (isFrom(settings.release, '24.05') ? 'add_form' : 'add');

/** Koha's button on the patron pages: a new patron of each category (patron-toolbar.inc). */
function newPatronButton(double: Double): Html {
  const op = addOp(double);
  return html`<div id="toolbar" class="btn-toolbar">
    <details class="btn-group" id="new-patron-button">
      <summary>New patron</summary>
      <ul class="dropdown-menu">
        ${[...double.db.categories.values()].map(
          ({ patron_category_id: id, name }) =>
            html`<li>
              <a href="${paths.memberEntry}?op=${op}&categorycode=${encodeURIComponent(id)}">${name}</a>
            </li>`,
        )}
      </ul>
    </details>
  </div>`;
}

/**
 * `members/memberentry.pl`: the form for a new patron. Nothing of the address is put into it but the category: memberentry.pl reads
 * all else when it is sent.
 */
export const memberEntryPage: StaffPage = {
  paths: [paths.memberEntry],
  answer(request) {
    if (request.method === 'POST') return save(request);
    return entryPage(request.fields.get('op') === addOp(request.double) ? form(request, {}) : null);
  },
};

const entryPage = (main: Html | null): PageAnswer =>
  show({
    title: 'Add patron',
    body: ['pat_memberentrygen', 'pat'],
    hasHeaderSearch: true,
    main: html`<h1>Add patron</h1>
      ${main}`,
  });

const boxes = { surname: 'Surname', firstname: 'First name', cardnumber: 'Card number' } as const;
type Filled = Partial<Record<keyof typeof boxes, string>>;

function form(request: PageRequest, filled: Filled, confirm: Html | null = null): Html {
  const { double, fields } = request;
  const chosen = fields.get('categorycode');
  const mandatory = mandatoryFields(double);
  const box = ([name, label]: readonly [string, string]): Html => {
    const value = filled[name as keyof Filled];
    return html`<p>
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="text" value="${value}" ${mandatory.has(name) && 'required'} />
    </p>`;
  };
  return html`<form id="entryform" method="post" action="${paths.memberEntry}" autocomplete="off">
    ${hiddenFields(request, 'cud-insert', { destination: fields.get('destination') ?? '' })} ${confirm}
    ${Object.entries(boxes).map(box)}
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
  const refusal = refusalOf(double, filled, text('categorycode'));
  if (refusal !== null) {
    return entryPage(
      html`<div class="attention" role="alert">${refusal}</div>
        ${form(request, filled)}`,
    );
  }
  if (fields.get('nodouble') !== '1' && looksKnown(double, filled)) {
    return entryPage(form(request, filled, confirmation));
  }
  const { cardnumber, ...name } = filled;
  const patron = putPatron(double, cardnumber, {
    ...name,
    category_id: text('categorycode'),
    library_id: session.libraryId,
  });
  const next = fields.get('destination') === 'circ' ? paths.circulation : paths.details;
  return redirect(`${next}?borrowernumber=${patron.patron_id}`);
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
function refusalOf(double: Double, filled: Required<Filled>, category: string): string | null {
  const mandatory = mandatoryFields(double);
  const all = Object.entries({ ...filled, categorycode: category });
  const missing = all.filter(([name, value]) => value === '' && mandatory.has(name)).map(([name]) => name);
  if (missing.length > 0) return `To be filled in: ${missing.join(', ')}`;
  if (double.db.patrons.withCard(filled.cardnumber) !== undefined) return 'Card number already in use.';
  return double.db.categories.has(category) ? null : 'The patron was not saved.';
}

/** Whether memberentry.pl wants to hear that it is somebody else; it finds everybody where no field is filled in that is compared. */
function looksKnown(double: Double, filled: Required<Filled>): boolean {
  const compared = double.settings.preferences.PatronDuplicateMatchingAddFields.split('|');
  const isComparable = Object.entries(filled).some(
    ([name, value]) => value !== '' && compared.includes(name),
  );
  return isComparable ? hasPossibleDuplicate(double, filled) : double.db.patrons.size > 0;
}

/** `members/moremember.pl`: all that is filled in of a patron, attributes included. */
export const detailsPage: StaffPage = {
  paths: [paths.details],
  answer({ fields, double }) {
    const patron = double.db.patrons.get(Number(fields.get('borrowernumber') ?? 0));
    if (patron === undefined) return redirect(paths.members);
    const filled = patronFields.fields
      .filter(({ kind }) => kind !== 'boolean')
      .map(({ name }) => [name.replaceAll('_', ' '), asText(patron.columns[name])] as const)
      .filter(([, value]) => value !== '');
    const attributes = patron.attributes.map(
      ({ type, value }) => [double.db.attributeTypes.get(type)?.description ?? type, value] as const,
    );
    return show({
      title: nameOf(patron),
      body: ['pat_moremember', 'pat'],
      aside: patronBox(double, patron),
      main: html`<h1 dir="auto">${nameOf(patron)}</h1>
        ${patronMessages(double, patron)}
        <h2>Record</h2>
        ${record(filled)}
        <h2>Additional attributes</h2>
        ${attributes.length === 0 ? html`<p class="quiet">None.</p>` : record(attributes)}
        ${checkoutTable(double, patron)}`,
    });
  },
};

const record = (rows: readonly (readonly [name: string, value: string | null])[]): Html =>
  html`<dl class="record">
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd dir="auto">${value}</dd>`,
    )}
  </dl>`;
