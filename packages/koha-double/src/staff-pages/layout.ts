import { deskTags } from '../plugin/desk-script.ts';
import { Html, html } from './html.ts';
import { headerSearch, headerSearchPath } from './header-search.ts';
import {
  branchPath,
  circulationPath,
  homePath,
  memberPath,
  returnsPath,
  selfCheckPath,
  stylePath,
} from './paths.ts';
import type { Page, PageRequest } from './staff-page.ts';

/** A whole document around a page: head with the CSRF token, header, what the plugin adds at the end. */
export function renderPage(request: PageRequest, page: Page): string {
  const { double, session, language } = request;
  const document = html`<!DOCTYPE html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="csrf-token" content="${session.csrfToken}" />
        <title>${page.title} &rsaquo; Koha of ${titleOf(double.library)}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${stylePath}" />
      </head>
      <body id="${page.bodyId}" class="${page.bodyClass}">
        <a class="skip" href="#main">Skip to the content</a>
        ${header(request, page)}
        <div class="page">
          ${page.aside === undefined ? null : html`<aside aria-label="Patron">${page.aside}</aside>`}
          <main id="main">${page.main}</main>
        </div>
        <footer>${STAND_IN}</footer>
        ${page.hasHeaderSearch === true ? html`<script src="${headerSearchPath}"></script>` : null}
        ${(page.scripts ?? []).map((address) => html`<script src="${address}"></script>`)}
        ${new Html(deskTags(request))}
      </body>
    </html>`;
  return document.text.replace(/\n\s+/g, '\n');
}

/** What Koha's templates put around a plugin's own page, under the names that it includes them by. */
export function pluginParts(request: PageRequest): Readonly<Record<string, string>> {
  const { session, language } = request;
  const parts = {
    'doc-head-open.inc': html`<!DOCTYPE html>
      <html lang="${language}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="csrf-token" content="${session.csrfToken}" />
        </head>
      </html>`,
    'doc-head-close.inc': html`<link rel="icon" href="data:," />
      <link rel="stylesheet" href="${stylePath}" />`,
    'header.inc': header(request, {}),
    'prefs-admin-search.inc': html``,
    'intranet-bottom.inc': html`<footer>${STAND_IN}</footer>
      ${new Html(deskTags(request))}
      </body>
      </html>`,
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.text]));
}

const STAND_IN = 'A stand-in for Koha, for trying and testing. None of these people and books exist.';

function header({ double, session, path }: PageRequest, page: Pick<Page, 'hasHeaderSearch'>): Html {
  const link = (to: string, text: string): Html =>
    html`<li><a href="${to}" ${to === path ? html`aria-current="page"` : null}>${text}</a></li>`;
  return html`<header>
    <a class="brand" href="${homePath}"><span aria-hidden="true">k</span> ${titleOf(double.library)}</a>
    <nav aria-label="Main">
      <ul>
        ${link(circulationPath, 'Check out')} ${link(returnsPath, 'Check in')} ${link(memberPath, 'Patrons')}
        ${link(selfCheckPath, 'Self-check')}
      </ul>
    </nav>
    ${page.hasHeaderSearch === true ? headerSearch(double) : null}
    <form class="branch" method="post" action="${branchPath}">
      <input type="hidden" name="csrf_token" value="${session.csrfToken}" />
      <input type="hidden" name="op" value="cud-set-library" />
      <label for="branch">At</label>
      <select id="branch" name="branch">
        ${[...double.db.libraries.values()].map(
          (row) =>
            html`<option value="${row.library_id}" ${row.library_id === session.libraryId ? 'selected' : ''}>
              ${row.library_id}
            </option>`,
        )}
      </select>
      <button type="submit">Set</button>
    </form>
  </header>`;
}

export function titleOf(library: string): string {
  return library.charAt(0).toUpperCase() + library.slice(1);
}
