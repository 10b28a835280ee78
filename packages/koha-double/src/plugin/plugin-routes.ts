import { ok, problem } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { ApiKey } from '../patrons/patron-table.ts';
import { isRecord, type Columns } from '../record.ts';
import { kohaVersions } from '../release.ts';
import { pluginSources, type PreferenceName } from '../settings.ts';
import { copyRoutes } from './copy-routes.ts';
import { listLoans } from './loan-routes.ts';
import { readDeskScript } from './desk-script.ts';
import { isServiceUser, pluginRoute } from './plugin-route.ts';
import { hasPatterns, proofOf } from './receiver.ts';
import { scanRoutes } from './scan-routes.ts';

/** What the service's doctor judges with what it sees from outside; the plugin reports the same ones. */
const reported: readonly PreferenceName[] = [
  'AutoEmailNewUser',
  'ChildNeedsGuarantor',
  'IndependentBranches',
];

/** What the plugin reports to the service's doctor and Koha's own API does not. */
const getAbout = pluginRoute('key', 'GET', '/about', ({ double: { settings, db, clock } }) =>
  ok({
    version: settings.plugin_version,
    koha_version: kohaVersions[settings.release],
    time: clock.timestamp(),
    attribute_types: [...db.attributeTypes.keys()].map((code) => ({ code })),
    preferences: Object.fromEntries(reported.map((name) => [name, settings.preferences[name]])),
    plack_workers: settings.plack_workers,
  }),
);

/** The plugin's settings and a proof of its secret. What its set-up check finds is a setting here: the check itself is the plugin's Perl. */
const postCheck = pluginRoute('key', 'POST', '/check', (call) => {
  settle(call);
  const { webhook, plugin_service_user: serviceUser, plugin_findings: findings } = call.double.settings;
  const { nonce } = isRecord(call.body) ? call.body : {};
  const textOf = (text: string | undefined): string | null =>
    text === undefined || text === '' ? null : text;
  return ok({
    library: textOf(webhook?.library),
    receiver_url: textOf(webhook?.receiver_url),
    secret_from: textOf(webhook?.secret) === null ? 'nowhere' : 'page',
    proof: webhook === null ? null : proofOf(webhook.secret, String(nonce)),
    serves: {
      ...Object.fromEntries(pluginSources.map((source) => [source, webhook?.off?.includes(source) !== true])),
      sip: (webhook?.sip ?? []).length > 0,
    },
    findings,
    card_patterns: hasPatterns(webhook?.patterns ?? []) ? webhook?.patterns : [],
    serves_you: isServiceUser(call) ? 'yes' : serviceUser === null ? 'nobody' : 'no',
  });
});

/** By it the keys that the plugin has made are known (its `ApiKeys.pm`). */
const OURS = 'Patron Passport';

/** The plugin asks the service whether it knows this library by now; here, whoever calls with the key that was sealed for it does. */
function settle({ double: { settings, db, tokens, clock }, headers }: ApiCall): void {
  const { plugin_waiting: waiting } = settings;
  if (waiting === null) return;
  const { patron_id: id, client_id: kept } = JSON.parse(waiting.more?.['join'] ?? '{}') as Columns;
  const token = headers['authorization']?.replace(/^Bearer /, '') ?? '';
  if (tokens.find(token, clock.nowMs())?.clientId !== kept) return;
  const user = db.patrons.get(Number(id));
  if (user !== undefined) {
    const isOther = ({ client_id, description }: ApiKey): boolean =>
      client_id !== kept && description === OURS;
    const keys = user.api_keys.map((key) => (isOther(key) ? { ...key, active: false } : key));
    db.patrons.put({ ...user, api_keys: keys });
    for (const key of keys) if (isOther(key)) tokens.revoke(key.client_id);
  }
  settings.webhook = { ...waiting, more: { ...waiting.more, join_waiting: '0' } };
  settings.plugin_waiting = null;
}

const getDeskScript = pluginRoute('desk', 'GET', '/desk.js', (call) => {
  const text = readDeskScript(call.double);
  if (text === null) return problem(500, 'Something went wrong', { error_code: 'internal_server_error' });
  const headers = {
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'private, max-age=86400',
  };
  return { status: 200, headers, text };
});

export const pluginRoutes: readonly Operation[] = [
  ...scanRoutes,
  getDeskScript,
  getAbout,
  postCheck,
  ...copyRoutes,
  listLoans,
];
