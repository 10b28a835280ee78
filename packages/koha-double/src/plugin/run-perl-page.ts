import { spawn } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import { isFrom, kohaVersions } from '../release.ts';
import { pluginSources, type WebhookSettings } from '../settings.ts';
import { defaultPattern } from './receiver.ts';

/** A request for a page of the plugin, with what the staff interface puts around it. */
interface PerlPageRequest {
  readonly method: 'GET' | 'POST';
  readonly run: 'tool' | 'configure';
  readonly form: string;
  readonly language: string;
  readonly csrf_token: string;
  readonly parts: Readonly<Record<string, string>>;
}

const limitMs = 15_000;

/**
 * Runs a page of the plugin by its own Perl code (apps/koha-plugin, t/bin/plugin-page.pl) and takes over what a POST
 * has stored, as the next scan of a real Koha would. Rejects when Perl, or a module, is not there.
 */
export async function runPerlPage(
  double: Double,
  program: string,
  branch: string,
  request: PerlPageRequest,
): Promise<string> {
  const { settings, db } = double;
  const chosen = db.patrons.withCard(settings.plugin_service_user ?? '');
  const before = pluginDataOf(settings.webhook, chosen?.patron_id ?? null);
  const input = { ...request, data: before, koha: { ...factsOf(double), branch } };
  const output: unknown = JSON.parse(await runPerl(program, JSON.stringify(input)));
  if (!isRecord(output) || typeof output['html'] !== 'string' || !isRecord(output['data'])) {
    throw new Error('the plugin’s page came out as something else');
  }
  const after = output['data'] as PluginData;
  // Perl's hashes have no order. What is not changed is not taken over: other settings may have come while the page ran.
  if (request.method === 'POST' && !isDeepStrictEqual(after, before)) {
    settings.webhook = webhookOf(after);
    const user = db.patrons.get(Number(after['service_user']));
    settings.plugin_service_user = user?.columns.cardnumber ?? null;
  }
  return output['html'];
}

function factsOf({ settings, db }: Double): object {
  return {
    version: kohaVersions[settings.release],
    // How many characters codes of attribute types have.
    code_length: isFrom(settings.release, '24.11') ? 64 : 10,
    preferences: settings.preferences,
    plack_workers: settings.plack_workers,
    types: [...db.attributeTypes.values()],
    categories: [...db.categories.keys()],
    branches: [...db.libraries.keys()],
    users: [...db.patrons.rows()]
      .filter(({ api_keys: keys }) => keys.some(({ active }) => active))
      .map(({ patron_id: id, columns: { userid }, permissions }) => ({
        id,
        userid,
        permissions: [...permissions],
      })),
  };
}

function runPerl(program: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const perl = spawn('perl', [program], { timeout: limitMs });
    let output = '';
    let errors = '';
    perl.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    perl.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    perl.once('error', reject);
    perl.stdin.once('error', () => undefined);
    perl.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(errors.trim() || `perl ended with ${code}`));
    });
    perl.stdin.end(input);
  });
}

/** The rows of Koha's `plugin_data` that hold the plugin's settings. */
type PluginData = Readonly<Record<string, string>>;

/** The settings of the plugin side, as the plugin itself would have stored them. */
function pluginDataOf(webhook: WebhookSettings | null, serviceUser: number | null): PluginData {
  const chosen = { service_user: String(serviceUser ?? '') };
  if (webhook === null) return chosen;
  const isOff = (source: (typeof pluginSources)[number]): boolean => webhook.off?.includes(source) === true;
  return {
    ...chosen,
    receiver_url: webhook.receiver_url,
    library: webhook.library,
    secret: webhook.secret,
    card_patterns: webhook.patterns.filter((pattern) => pattern !== defaultPattern).join('\n'),
    staff_wait: String(webhook.staff_wait_ms),
    self_check_wait: String(webhook.self_check_wait_ms),
    ...Object.fromEntries(pluginSources.map((source) => [source, isOff(source) ? '0' : '1'])),
  };
}

/** The settings that the plugin has stored; null where it was never set up. */
function webhookOf(data: PluginData): WebhookSettings | null {
  if (data['receiver_url'] === undefined) return null;
  const patterns = (data['card_patterns'] ?? '').split('\n').filter((pattern) => pattern !== '');
  return {
    receiver_url: data['receiver_url'],
    library: data['library'] ?? '',
    secret: data['secret'] ?? '',
    patterns: patterns.length === 0 ? [defaultPattern] : patterns,
    staff_wait_ms: Number(data['staff_wait'] ?? 1_500),
    self_check_wait_ms: Number(data['self_check_wait'] ?? 3_000),
    off: pluginSources.filter((source) => data[source] === '0'),
  };
}
