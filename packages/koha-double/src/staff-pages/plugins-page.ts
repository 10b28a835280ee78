import { hasPermission } from '../auth/permissions.ts';
import { runPerlPage } from '../plugin/run-perl-page.ts';
import { pluginParts } from './layout.ts';
import {
  html,
  paths,
  show,
  tableHead,
  type Html,
  type PageAnswer,
  type PageRequest,
  type StaffPage,
} from './staff-page.ts';

const pluginClass = 'Koha::Plugin::Org::PatronPassport';

/** What Koha offers of a plugin that has the method, to whoever may run it: `CAN_user_plugins_tool` and so on. */
const actions = { tool: 'Run tool', configure: 'Configure' } as const;
type Action = keyof typeof actions;

const isAction = (method: string): method is Action => Object.hasOwn(actions, method);

const permissionsOf = ({ double, session }: PageRequest): ReadonlySet<string> =>
  double.db.patrons.get(session.patronId)?.permissions ?? new Set();

/** Koha's permission of the same name. */
const mayRun = (request: PageRequest, action: Action): boolean =>
  hasPermission(permissionsOf(request), 'plugins', action);

/**
 * Koha's list of plugins: `plugins/plugins-home.pl`; with `method` those that have it. It requires `plugins => '*'`: any
 * permission of the module.
 */
export const pluginsPage: StaffPage = {
  paths: [paths.plugins],
  answer(request) {
    const { double, fields } = request;
    const mayAnything = [...permissionsOf(request)].some((one) => /^(?:superlibrarian$|plugins\b)/.test(one));
    if (!mayAnything) return refused;
    const method = fields.get('method') ?? '';
    const isShown = double.settings.plugin && (method === '' || isAction(method));
    return show({
      title: 'Plugins',
      body: ['plugins_plugins_home', 'plugins'],
      main: html`<h1>Plugins</h1>
        ${isShown ? table(request) : html`<p>No plugins installed</p>`}
        ${isShown && double.files.pluginPagesPath === undefined && noPerl}`,
    });
  },
};

const noPerl = html`<p class="attention" id="no-perl">
  The pages of the plugin are its own Perl code, and are not run here: Perl, or a module that it needs, is not
  on this machine.
</p>`;

/** A page of the plugins that says only this. */
const message = (status: number, text: string): PageAnswer =>
  show(
    {
      title: 'Plugins',
      body: ['plugins_disabled', 'plugins'],
      main: html`<h1>Plugins</h1>
        <p class="attention">${text}</p>`,
    },
    status,
  );

const refused = message(403, 'You do not have permission to access this page.');

function table(request: PageRequest): Html {
  const { files, settings } = request.double;
  const offered = Object.entries(actions).filter(([action]) => mayRun(request, action as Action));
  const offer = ([action, text]: readonly [string, string]): Html => {
    const address = `${paths.runPlugin}?class=${encodeURIComponent(pluginClass)}&method=${action}`;
    return files.pluginPagesPath === undefined
      ? html`<span class="quiet">${text}</span> `
      : html`<a href="${address}">${text}</a> `;
  };
  return html`<table id="installed_plugins">
    ${tableHead('Name', 'Author', 'Plugin version', 'Actions')}
    <tbody>
      <tr>
        <td><strong>Patron Passport</strong></td>
        <td>Patron Passport</td>
        <td>${settings.plugin_version}</td>
        <td>${offered.map(offer)}</td>
      </tr>
    </tbody>
  </table>`;
}

/**
 * Koha's `plugins/run.pl`: it requires the permission `{plugins => METHOD}` and has Koha::Plugins::Handler call the method, whose
 * output is the page.
 */
export const runPluginPage: StaffPage = {
  paths: [paths.runPlugin],
  async answer(request) {
    const { double, session, fields, method, form, language } = request;
    const run = fields.get('method') ?? '';
    if (!double.settings.plugin || fields.get('class') !== pluginClass || !isAction(run)) {
      return message(404, 'There is no such plugin, or it does not have this method.');
    }
    if (!mayRun(request, run)) return refused;
    const { pluginPagesPath: pluginPages } = double.files;
    if (pluginPages === undefined)
      return message(503, 'Perl, or a module that the plugin needs, is not here.');
    const page = { method, run, form, language, csrf_token: session.csrfToken, parts: pluginParts(request) };
    return { kind: 'document', html: await runPerlPage(double, pluginPages, session, page) };
  },
};
