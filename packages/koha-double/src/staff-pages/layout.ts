import { deskHead, deskTags } from '../plugin/desk-script.ts';
import { isFrom } from '../release.ts';
import {
  checkoutMethod,
  hiddenFields,
  Html,
  html,
  paths,
  type Page,
  type PageRequest,
} from './staff-page.ts';

/** A whole document around a page: head with the CSRF token, header, what the plugin adds at the end. */
export function renderPage(request: PageRequest, page: Page): string {
  const [id, className] = page.body;
  const document = html`${documentHead(request)}
        <title>${page.title} &rsaquo; Koha of ${titleOf(request.double.library)}</title>
        ${links} ${new Html(deskHead(request))}
      </head>
      <body id="${id}" class="${className}">
        <a class="skip" href="#main">Skip to the content</a>
        ${header(request, page.hasHeaderSearch)}
        <div class="page">
          ${page.aside && html`<aside aria-label="Patron">${page.aside}</aside>`}
          <main id="main">${page.main}</main>
        </div>
        <footer>${STAND_IN}</footer>
        ${page.hasHeaderSearch && html`<script src="${paths.headerSearch}"></script>`}
        ${
          (page.hasHeaderSearch === true || page.hasCheckoutBox === true) &&
          request.double.settings.preferences.PatronAutoComplete === '1' &&
          html`<script src="${paths.autocomplete}"></script>`
        }
        ${(page.scripts ?? []).map((address) => html`<script src="${address}"></script>`)}
        ${new Html(deskTags(request))}
      </body>
    </html>`;
  return document.text.replace(/\n\s+/g, '\n');
}

const documentHead = ({ session, language }: PageRequest): Html =>
  new Html(
    html`<!DOCTYPE html>
      <html lang="${language}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="csrf-token" content="${session.csrfToken}" />
        </head>
      </html>`.text.replace(/\s*<\/head>\s*<\/html>$/, ''),
  );

const links = html`<link rel="icon" href="data:," /> <link rel="stylesheet" href="${paths.style}" />`;

/** What Koha's templates put around a plugin's own page, under the names that it includes them by. */
export function pluginParts(request: PageRequest): Readonly<Record<string, string>> {
  const parts = {
    'doc-head-open.inc': documentHead(request),
    'doc-head-close.inc': links,
    'header.inc': header(request),
    'prefs-admin-search.inc': html``,
    'intranet-bottom.inc': html`<footer>${STAND_IN}</footer>
      ${new Html(deskTags(request))}
      </body>
      </html>`,
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.text]));
}

const STAND_IN = 'A stand-in for Koha, for trying and testing. None of these people and books exist.';

const mainLinks = {
  [paths.circulation]: 'Check out',
  [paths.returns]: 'Check in',
  [paths.members]: 'Patrons',
  [paths.selfCheck]: 'Self-check',
};

function header(request: PageRequest, hasSearch = false): Html {
  const { double, session, path } = request;
  return html`<header>
    <a class="brand" href="${paths.home}"><span aria-hidden="true">k</span> ${titleOf(double.library)}</a>
    <nav aria-label="Main">
      <ul>
        ${Object.entries(mainLinks).map(
          ([to, text]) =>
            html`<li><a href="${to}" ${to === path && html`aria-current="page"`}>${text}</a></li>`,
        )}
      </ul>
    </nav>
    ${hasSearch && headerSearch(request)}
    <form class="branch" method="post" action="${paths.branch}">
      ${hiddenFields(request, 'cud-set-library')}
      <label for="branch">At</label>
      <select id="branch" name="branch">
        ${[...double.db.libraries.keys()].map(
          (id) => html`<option value="${id}" ${id === session.libraryId ? 'selected' : ''}>${id}</option>`,
        )}
      </select>
      <button type="submit">Set</button>
    </form>
  </header>`;
}

export function titleOf(library: string): string {
  return library.charAt(0).toUpperCase() + library.slice(1);
}

/**
 * The header's search on the pages of patrons, with the ids that scripts go by (patron-search-header.inc,
 * member-search-box.inc, patron-search-box.inc): the patron search in front, the checkout box under a tab behind it, which is
 * called `circ_search` before Bootstrap 5 (24.11) and `circ_search_panel` since.
 */
function headerSearch(request: PageRequest): Html {
  const suffix = isFrom(request.double.settings.release, '24.11') ? '_panel' : '';
  const tab = (name: string, text: string, isActive: boolean): Html => {
    const id = `${name}${suffix}`;
    const selected = String(isActive);
    return html`<li role="presentation">
      <a href="#${id}" role="tab" aria-controls="${id}" aria-selected="${selected}" id="${name}-tab"
        >${text}</a
      >
    </li>`;
  };
  const pane = (name: string, className: string, form: Html): Html =>
    html`<div id="${name}${suffix}" role="tabpanel" class="${className}" aria-labelledby="${name}-tab">
      ${form}
    </div>`;
  const box = (name: string): Html =>
    html`<input id="${name}" name="${name}" class="head-searchbox" type="text" autocomplete="off" />`;
  return html`<div id="header_search">
    <div class="tab-content">
      ${pane(
        'patron_search',
        'tab-pane active',
        html`<form method="get" action="${paths.members}">
          <input type="hidden" name="quicksearch" value="1" />
          <label for="searchmember">Search patrons</label>
          ${box('searchmember')}
          <button type="submit">Search</button>
        </form>`,
      )}
      ${pane(
        'circ_search',
        'tab-pane',
        html`<form method="${checkoutMethod(request)}" action="${paths.circulation}" id="patronsearch">
          <label for="findborrower">Check out</label>
          ${box('findborrower')}
          <button type="submit">Submit</button>
        </form>`,
      )}
    </div>
    <ul class="nav nav-tabs" role="tablist">
      ${tab('patron_search', 'Search patrons', true)} ${tab('circ_search', 'Check out', false)}
    </ul>
  </div>`;
}
