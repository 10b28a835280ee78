import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { html, type Html } from './html.ts';
import { titleOf } from './layout.ts';
import {
  branchPath,
  circulationPath,
  homePath,
  memberPath,
  pluginsPath,
  returnsPath,
  selfCheckPath,
} from './paths.ts';
import { redirect, show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

export const kpzPath = '/downloads/plugin.kpz';

/** Where staff begin. */
export const homePage: StaffPage = { paths: ['/', '/cgi-bin/koha', '/cgi-bin/koha/', homePath], answer };

/** Takes the browser to another branch; the branch of a scan is the session's. */
export const setLibraryPage: StaffPage = {
  paths: [branchPath],
  answer: ({ double, session, fields, method }) => {
    const branch = fields.get('branch') ?? '';
    if (method === 'POST' && double.db.libraries.has(branch)) {
      double.sessions.put({ ...session, libraryId: branch });
    }
    return redirect(homePath);
  },
};

function answer({ double }: PageRequest): PageAnswer {
  const { db, settings, library } = double;
  return show({
    title: 'Home',
    bodyId: 'main_intranet-main',
    bodyClass: 'main',
    main: html`<h1>${titleOf(library)}</h1>
      <form method="get" action="${circulationPath}" class="scan">
        <label for="findborrower">Scan a card to check out</label>
        <div>
          <input id="findborrower" name="findborrower" type="text" autocomplete="off" autofocus required />
          <button type="submit">Submit</button>
        </div>
      </form>
      <ul class="tiles">
        <li><a href="${circulationPath}">Check out</a></li>
        <li><a href="${returnsPath}">Check in</a></li>
        <li><a href="${memberPath}">Patrons</a></li>
        <li><a href="${selfCheckPath}">Self-check</a></li>
        <li><a href="/api/v1/.html">REST API</a></li>
        <li><a href="${pluginsPath}">Plugins</a></li>
        ${pluginTile(double.files.kpz)}
      </ul>
      <p class="quiet">
        Koha ${settings.release}, ${db.patrons.size} patrons, ${db.items.size} items, passport plugin
        ${settings.plugin ? settings.plugin_version : 'not installed'}.
      </p>`,
  });
}

function pluginTile(file: string | undefined): Html | null {
  if (file === undefined || !existsSync(file)) return null;
  return html`<li><a href="${kpzPath}" download="${basename(file)}">The plugin (.kpz)</a></li>`;
}
