import { html } from './html.ts';
import { newPatronButton } from './member-entry-page.ts';
import { memberPath } from './paths.ts';
import { memberSearchPath } from './member-search-script.ts';
import { show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `members/member.pl`: the patron search, filled by a script from the API, with the ids that scripts go by. */
export const memberPage: StaffPage = { paths: [memberPath, '/cgi-bin/koha/members/members-home.pl'], answer };

function answer({ fields, double }: PageRequest): PageAnswer {
  const text = fields.get('searchmember') ?? '';
  const isCirculation = fields.get('circsearch') === '1';
  return show({
    title: 'Patron search',
    bodyId: 'pat_member',
    bodyClass: 'pat',
    hasHeaderSearch: true,
    scripts: [memberSearchPath],
    main: html`<h1>Patrons</h1>
      ${newPatronButton(double)}
      <form id="patron_search_form" method="get" action="${memberPath}" class="scan">
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
        </div>
      </form>
      <div
        id="searchresults"
        ${text === '' ? 'hidden' : ''}
        data-circsearch="${isCirculation ? '1' : '0'}"
        data-method="${double.settings.preferences.DefaultPatronSearchMethod}"
      >
        <h2>Patrons found for: <span dir="auto">${text}</span></h2>
        <p id="search-status" class="quiet" role="status">Searching …</p>
        <table id="memberresultst" tabindex="0" hidden>
          <thead>
            <tr>
              <th scope="col">Card</th>
              <th scope="col">Name</th>
              <th scope="col">Born</th>
              <th scope="col">Category</th>
              <th scope="col">Library</th>
            </tr>
          </thead>
          <tbody></tbody>
        </table>
      </div>`,
  });
}
