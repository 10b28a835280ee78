import { runPerlPage } from '../plugin/run-perl-page.ts';
import { html, type Html } from './html.ts';
import { pluginParts } from './layout.ts';
import { mayRun, pluginActions, pluginClass, type PluginAction } from './plugins-page.ts';
import { show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/**
 * Koha's `plugins/run.pl`: it requires the permission `{plugins => METHOD}` and has Koha::Plugins::Handler call the method, whose
 * output is the page.
 */
export const runPluginPage: StaffPage = { paths: ['/cgi-bin/koha/plugins/run.pl'], answer };

async function answer(request: PageRequest): Promise<PageAnswer> {
  const { double, session, fields } = request;
  const action = fields.get('method') ?? '';
  const isKnown = double.settings.plugin && fields.get('class') === pluginClass && isAction(action);
  if (!isKnown) return message(404, html`There is no such plugin, or it does not have this method.`);
  if (!mayRun(double, session.patronId, action)) {
    return message(403, html`You do not have permission to access this page.`);
  }
  const { pluginPages } = double.files;
  if (pluginPages === undefined)
    return message(503, html`Perl, or a module that the plugin needs, is not here.`);
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

function message(status: number, text: Html): PageAnswer {
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
