import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { titleOf } from './layout.ts';
import { html, paths, redirect, scanForm, show, type Html, type StaffPage } from './staff-page.ts';

/** Where staff begin. */
export const homePage: StaffPage = {
  paths: ['/', '/cgi-bin/koha', '/cgi-bin/koha/', paths.home],
  answer({ double }) {
    const { db, settings, library, files } = double;
    const tiles = {
      [paths.circulation]: 'Check out',
      [paths.returns]: 'Check in',
      [paths.members]: 'Patrons',
      [paths.selfCheck]: 'Self-check',
      '/api/v1/.html': 'REST API',
      [paths.plugins]: 'Plugins',
    };
    return show({
      title: 'Home',
      body: ['main_intranet-main', 'main'],
      main: html`<h1>${titleOf(library)}</h1>
        ${scanForm({
          method: 'get',
          action: paths.circulation,
          box: 'findborrower',
          label: 'Scan a card to check out',
          button: 'Submit',
        })}
        <ul class="tiles">
          ${Object.entries(tiles).map(([to, text]) => html`<li><a href="${to}">${text}</a></li>`)}
          ${pluginTile(files.kpzPath)}
        </ul>
        <p class="quiet">
          Koha ${settings.release}, ${db.patrons.size} patrons, ${db.items.size} items, passport plugin
          ${settings.plugin ? settings.plugin_version : 'not installed'}.
        </p>`,
    });
  },
};

function pluginTile(file: string | undefined): Html | null {
  if (file === undefined || !existsSync(file)) return null;
  return html`<li><a href="${paths.kpz}" download="${basename(file)}">The plugin (.kpz)</a></li>`;
}

/** Takes the browser to another branch; the branch of a scan is the session's. */
export const setLibraryPage: StaffPage = {
  paths: [paths.branch],
  answer({ double, session, fields, method }) {
    const branch = fields.get('branch') ?? '';
    if (method === 'POST' && double.db.libraries.has(branch)) {
      double.sessions.set(session.id, { ...session, libraryId: branch });
    }
    return redirect(paths.home);
  },
};
