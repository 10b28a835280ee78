import { spawn } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { applySettings } from '../control/apply-settings.ts';
import { putPatron } from '../control/put-rows.ts';
import type { Double, StaffSession } from '../double.ts';
import { asText, isRecord, type Columns } from '../record.ts';
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
  session: Pick<StaffSession, 'libraryId' | 'patronId'>,
  request: PerlPageRequest,
): Promise<string> {
  const { settings, db } = double;
  const chosen = db.patrons.withCard(settings.plugin_service_user ?? '');
  const before = pluginDataOf(settings.webhook ?? settings.plugin_waiting, chosen?.patron_id ?? null);
  const input = { ...request, data: before, koha: factsOf(double, session) };
  const output: unknown = JSON.parse(await runPerl(program, JSON.stringify(input)));
  if (!isRecord(output) || typeof output['html'] !== 'string' || !isRecord(output['data'])) {
    throw new Error('the plugin’s page came out as something else');
  }
  const after = output['data'] as PluginData;
  if (request.method === 'POST' && isRecord(output['made']))
    takeOver(double, output['made'] as unknown as Made);
  // Perl's hashes have no order. What is not changed is not taken over: other settings may have come while the page ran.
  if (request.method === 'POST' && !isDeepStrictEqual(after, before)) {
    const isWaiting = after['join_waiting'] === '1';
    settings.webhook = isWaiting ? null : webhookOf(after);
    settings.plugin_waiting = isWaiting ? webhookOf(after) : null;
    settings.plugin_service_user = cardOfUser(double, Number(after['service_user']), output['made']);
  }
  return output['html'];
}

function factsOf(
  { settings, db, tokens }: Double,
  { libraryId, patronId }: Pick<StaffSession, 'libraryId' | 'patronId'>,
): object {
  const rows = [...db.patrons.rows()];
  const hasKey = ({ api_keys: keys }: (typeof rows)[number]): boolean => keys.some(({ active }) => active);
  const isService = ({ columns }: (typeof rows)[number]): boolean =>
    columns.userid === 'passport' || columns.cardnumber === settings.plugin_service_user;
  const isShown = (row: (typeof rows)[number]): boolean =>
    hasKey(row) || row.patron_id === patronId || isService(row);
  const anyOf = (scope: string): string | null => (scope === '*' ? null : scope);
  return {
    version: kohaVersions[settings.release],
    // How many characters codes of attribute types have.
    code_length: isFrom(settings.release, '24.11') ? 64 : 10,
    branch: libraryId,
    user: patronId,
    preferences: settings.preferences,
    plack_workers: settings.plack_workers,
    types: [...db.attributeTypes.values()],
    categories: [...db.categories].map(([code, { category_type: type }]) => ({ code, type })),
    branches: [...db.libraries.keys()],
    rules: db.circulationRules.map((rule) => ({
      branchcode: anyOf(rule.library_id),
      categorycode: anyOf(rule.patron_category_id),
      itemtype: anyOf(rule.item_type_id),
      rule_name: rule.rule,
      rule_value: rule.value,
    })),
    // Of whom only the card is seen: what cards look like here.
    others: rows.filter((row) => !isShown(row)).map((row) => [row.patron_id, row.columns.cardnumber]),
    users: rows.filter(isShown).map((row) => ({
      id: row.patron_id,
      userid: row.columns.userid,
      cardnumber: row.columns.cardnumber,
      category: row.columns.category_id,
      password: row.hidden['password'],
      keys: row.api_keys
        .filter(({ active }) => active)
        .map(({ client_id, description }) => ({
          client_id,
          description,
          is_granted: tokens.hasOf(client_id) ? 1 : 0,
        })),
      permissions: [...row.permissions],
    })),
  };
}

/** A user whom the page has made has another number here. */
function cardOfUser({ db }: Double, id: number, made: unknown): string | null {
  const users = isRecord(made) ? (made as unknown as Made).users : [];
  const card = users.find((user) => user['id'] === id)?.['cardnumber'];
  return card === undefined ? (db.patrons.get(id)?.columns.cardnumber ?? null) : asText(card);
}

/** What the button of the configuration page has made, as rows of Koha's tables. */
interface Made {
  readonly preferences: Columns;
  readonly types: readonly Columns[];
  readonly categories: readonly Columns[];
  readonly rules: readonly Columns[];
  readonly users: readonly (Columns & {
    readonly permissions: readonly string[];
    readonly keys: readonly Columns[];
    /** By their ids, those that are in force. */
    readonly active: readonly string[];
    /** By their ids, those for which Koha has granted tokens. */
    readonly granted: readonly string[];
  })[];
}

function takeOver(double: Double, { preferences, types, categories, rules, users }: Made): void {
  const { db } = double;
  const all = (value: unknown): string => (value === null ? '*' : asText(value));
  const change = {
    preferences,
    attribute_types: [
      ...db.attributeTypes.values(),
      ...types.map((type) =>
        Object.fromEntries(
          Object.entries(type).map(([name, value]) => [
            name,
            typeof value === 'number' ? value === 1 : value,
          ]),
        ),
      ),
    ],
    categories: [
      ...db.categories.values(),
      ...categories.map(({ categorycode, description, category_type }) => ({
        patron_category_id: categorycode,
        name: description,
        category_type,
        enrolment_fee: 0,
      })),
    ],
    circulation_rules: [
      ...db.circulationRules,
      ...rules.map((rule) => ({
        library_id: all(rule['branchcode']),
        patron_category_id: all(rule['categorycode']),
        item_type_id: all(rule['itemtype']),
        rule: rule['rule_name'],
        value: rule['rule_value'],
      })),
    ],
  };
  const problem = applySettings(double, change);
  if (problem !== null) throw new Error(problem);
  for (const { cardnumber, userid, surname, branchcode, categorycode, permissions, keys, ...has } of users) {
    const card = asText(cardnumber);
    const before = db.patrons.withCard(card);
    for (const { client_id: key, active } of before?.api_keys ?? [])
      if (active && !has.granted.includes(key)) double.tokens.revoke(key);
    putPatron(double, card, {
      ...(before ?? { userid, surname, library_id: branchcode, category_id: categorycode }),
      permissions: [...(before?.permissions ?? []), ...permissions],
      api_keys: [...(before?.api_keys ?? []), ...keys].map((key) => ({
        ...key,
        active: has.active.includes(asText(key.client_id)),
      })),
    });
  }
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
type PluginData = Readonly<Record<string, string | null>>;

const understood = [
  'receiver_url',
  'library',
  'secret',
  'card_patterns',
  'staff_wait',
  'self_check_wait',
  'service_user',
  'sip',
  ...pluginSources,
];

/** The settings of the plugin side, as the plugin itself would have stored them. */
function pluginDataOf(webhook: WebhookSettings | null, serviceUser: number | null): PluginData {
  const chosen = { service_user: String(serviceUser ?? '') };
  if (webhook === null) return chosen;
  const isOff = (source: (typeof pluginSources)[number]): boolean => webhook.off?.includes(source) === true;
  return {
    ...webhook.more,
    ...chosen,
    receiver_url: webhook.receiver_url,
    library: webhook.library,
    secret: webhook.secret,
    card_patterns: webhook.patterns.filter((pattern) => pattern !== defaultPattern).join('\n'),
    staff_wait: String(webhook.staff_wait_ms),
    self_check_wait: String(webhook.self_check_wait_ms),
    sip: (webhook.sip ?? []).join('\n'),
    ...Object.fromEntries(pluginSources.map((source) => [source, isOff(source) ? '0' : '1'])),
  };
}

/** The settings that the plugin has stored; null where it was never set up. */
function webhookOf(data: PluginData): WebhookSettings | null {
  if (data['receiver_url'] === undefined && data['secret'] === undefined) return null;
  const linesOf = (name: string): string[] => (data[name] ?? '').split('\n').filter((line) => line !== '');
  const patterns = linesOf('card_patterns');
  return {
    receiver_url: data['receiver_url'] ?? '',
    library: data['library'] ?? '',
    secret: data['secret'] ?? '',
    patterns: patterns.length === 0 ? [defaultPattern] : patterns,
    staff_wait_ms: Number(data['staff_wait'] ?? 1_500),
    self_check_wait_ms: Number(data['self_check_wait'] ?? 3_000),
    off: pluginSources.filter((source) => data[source] === '0'),
    sip: linesOf('sip'),
    more: moreOf(data),
  };
}

function moreOf(data: PluginData): Readonly<Record<string, string>> {
  const rows = Object.entries(data).filter(
    (row): row is [string, string] => row[1] !== null && !understood.includes(row[0]),
  );
  return Object.fromEntries(rows);
}
