import { runPerlPage } from '../plugin/run-perl-page.ts';
import { html } from './html.ts';
import { pluginParts } from './layout.ts';
import {
  mayRun,
  pluginActions,
  pluginClass,
  pluginsMessage,
  refusal,
  type PluginAction,
} from './plugins-page.ts';
import type { PageAnswer, PageRequest, StaffPage } from './staff-page.ts';

/**
 * Koha's `plugins/run.pl`: it requires the permission `{plugins => METHOD}` and has Koha::Plugins::Handler call the method, whose
 * output is the page.
 */
export const runPluginPage: StaffPage = { paths: ['/cgi-bin/koha/plugins/run.pl'], answer };

async function answer(request: PageRequest): Promise<PageAnswer> {
  const { double, session, fields } = request;
  const action = fields.get('method') ?? '';
  const isKnown = double.settings.plugin && fields.get('class') === pluginClass && isAction(action);
  if (!isKnown) return pluginsMessage(404, html`There is no such plugin, or it does not have this method.`);
  if (!mayRun(double, session.patronId, action)) {
    return pluginsMessage(403, html`${refusal}`);
  }
  const { pluginPages } = double.files;
  if (pluginPages === undefined)
    return pluginsMessage(503, html`Perl, or a module that the plugin needs, is not here.`);
  const page = await runPerlPage(double, pluginPages, {
    method: request.method,
    run: action,
    form: request.form,
    language: request.language,
    csrfToken: session.csrfToken,
    branch: session.libraryId,
    parts: pluginParts(request),
  });
  return { kind: 'document', html: page };
}

const isAction = (method: string): method is PluginAction => Object.hasOwn(pluginActions, method);
