import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import { html, type Html } from './html.ts';
import { runPluginPath } from './paths.ts';
import { show, type PageAnswer, type StaffPage } from './staff-page.ts';

export const pluginClass = 'Koha::Plugin::Org::PatronPassport';

/** What Koha offers of a plugin that has the method, to whoever may run it: `CAN_user_plugins_tool` and so on. */
export const pluginActions = { tool: 'Run tool', configure: 'Configure' } as const;
export type PluginAction = keyof typeof pluginActions;

/**
 * Koha's list of plugins: `plugins/plugins-home.pl`; with `method` those that have it. It requires `plugins => '*'`: any
 * permission of the module.
 */
export const pluginsPage: StaffPage = {
  paths: ['/cgi-bin/koha/plugins/plugins-home.pl'],
  answer({ double, session, fields }): PageAnswer {
    if (!mayAnything(double, session.patronId)) return pluginsMessage(403, html`${refusal}`);
    const method = fields.get('method') ?? '';
    const isShown = double.settings.plugin && (method === '' || Object.hasOwn(pluginActions, method));
    return show({
      title: 'Plugins',
      bodyId: 'plugins_plugins_home',
      bodyClass: 'plugins',
      main: html`<h1>Plugins</h1>
        ${isShown ? table(double, session.patronId) : html`<p>No plugins installed</p>`}
        ${isShown && double.files.pluginPages === undefined ? noPerl : null}`,
    });
  },
};

const noPerl = html`<p class="attention" id="no-perl">
  The pages of the plugin are its own Perl code, and are not run here: Perl, or a module that it needs, is not
  on this machine.
</p>`;

/** Whether somebody may run this of a plugin: Koha's permission of the same name. */
export function mayRun({ db }: Double, patronId: number, action: PluginAction): boolean {
  const granted = new Set(db.patrons.get(patronId)?.permissions ?? []);
  return hasPermission(granted, 'plugins', action);
}

function mayAnything({ db }: Double, patronId: number): boolean {
  const granted = db.patrons.get(patronId)?.permissions ?? [];
  return [...granted].some((one) => one === 'superlibrarian' || one.split(':')[0] === 'plugins');
}

export const refusal = 'You do not have permission to access this page.';

/** A page of the plugins that says only this. */
export function pluginsMessage(status: number, text: Html): PageAnswer {
  return show(
    {
      title: 'Plugins',
      bodyId: 'plugins_disabled',
      bodyClass: 'plugins',
      main: html`<h1>Plugins</h1>
        <p class="attention">${text}</p>`,
    },
    status,
  );
}

function table(double: Double, patronId: number): Html {
  const actions = (Object.keys(pluginActions) as PluginAction[]).filter((action) =>
    mayRun(double, patronId, action),
  );
  const address = (action: PluginAction): string =>
    `${runPluginPath}?class=${encodeURIComponent(pluginClass)}&method=${action}`;
  return html`<table id="installed_plugins">
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Author</th>
        <th scope="col">Plugin version</th>
        <th scope="col">Actions</th>
      </tr>
    </thead>
    <tbody>
      <tr>
        <td><strong>Patron Passport</strong></td>
        <td>Patron Passport</td>
        <td>${double.settings.plugin_version}</td>
        <td>
          ${
            double.files.pluginPages === undefined
              ? actions.map((action) => html`<span class="quiet">${pluginActions[action]}</span> `)
              : actions.map((action) => html`<a href="${address(action)}">${pluginActions[action]}</a> `)
          }
        </td>
      </tr>
    </tbody>
  </table>`;
}
