import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Library } from '@passport/config';
import { parseWebhookSecret } from '@passport/contract';
import type { PluginCheck } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';
import { attempt, uncheckedFailure } from './koha-failure.ts';

/** A page gives the receiver no longer than this. */
const PAGE_LIMIT_MS = 500;
const CONFIGURE = 'Plugins → Patron Passport → Configure';

/** The webhook secret that a proof was made with: whose it is, and the how manieth of theirs. */
export interface ProvenSecret {
  readonly library: string;
  /** From 1 on. */
  readonly place: number;
  readonly of: number;
}

/** How a plugin reports scans, as far as it could be found out. */
export interface PluginReports extends PluginCheck {
  readonly secret: ProvenSecret | null;
}

const isMadeWith = (secret: string, nonce: string, proof: string): boolean => {
  const made = createHmac('sha256', parseWebhookSecret(secret)).update(`passport-proof:${nonce}`).digest();
  const given = Buffer.from(proof, 'base64');
  return given.length === made.length && timingSafeEqual(given, made);
};

/** Whose secret proves itself: `library`'s own before that of any other. */
export function provenSecret(
  libraries: readonly Library[],
  library: Library,
  { nonce, proof }: { readonly nonce: string; readonly proof: string },
): ProvenSecret | null {
  for (const { id, webhookSecrets } of [library, ...libraries]) {
    const index = webhookSecrets.findIndex((secret) => isMadeWith(secret.reveal(), nonce, proof));
    if (index !== -1) return { library: id, place: index + 1, of: webhookSecrets.length };
  }
  return null;
}

const whereSecretIs = ({ secret_from: from }: PluginCheck): string =>
  from === 'koha-conf'
    ? 'in koha-conf.xml, in <passport_secret>, then koha-plack --restart'
    : `in ${CONFIGURE}`;

function checkComplete({ library, receiver_url: url, proof, secret_from: from }: PluginCheck): Finding[] {
  const missing = [
    ...(url === null ? ['the address of the receiver'] : []),
    ...(library === null ? ['the library id'] : []),
    ...(proof === null ? [from === 'nowhere' ? 'the secret' : 'a valid secret'] : []),
  ];
  if (missing.length === 0) return [];
  const problem = `the plugin reports nothing: it lacks ${missing.join(', ')}`;
  return [fault('plugin_settings', problem, `enter what is missing in ${CONFIGURE}`)];
}

function checkId({ library }: Examinee, { library: entered }: PluginCheck): Finding[] {
  if (entered === null || entered === library.id) return [];
  const problem = `the plugin reports scans as "${entered}", and this library is "${library.id}"`;
  return [fault('plugin_library', problem, `set the library id to ${library.id} in ${CONFIGURE}`, entered)];
}

function checkSecret({ library }: Examinee, { proof, secret, ...check }: PluginReports): Finding[] {
  if (proof === null || secret?.library === library.id) return [];
  const problem =
    secret === null
      ? "the plugin's secret is none of the webhook_secrets of this library"
      : `the plugin has the webhook secret of ${secret.library}`;
  const remedy = `enter the webhook secret of ${library.id} ${whereSecretIs({ proof, ...check })}`;
  return [fault('plugin_secret', problem, remedy)];
}

function checkSources({ library }: Examinee, { serves }: PluginCheck): Finding[] {
  const off = (what: string, name: string): Finding =>
    warning('plugin_off', `${what}: it is switched off in the plugin`, `switch it on in ${CONFIGURE}`, name);
  return [
    ...(serves.staff ? [] : [off('scans at the staff desk are not reported', 'staff')]),
    ...(serves.copies || library.refresh?.atScan !== true
      ? []
      : [off('refresh.at_scan has no effect, because scans of copies are not reported', 'copies')]),
  ];
}

const WHY_UNREACHABLE: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  timeout: ['it does not answer in time', 'open the way from that server to the receiver (firewall, proxy)'],
  refused: ['nobody listens there', `correct the address in ${CONFIGURE}, or start the receiver`],
  tls: ['the encrypted connection fails', "make the receiver's certificate valid for that server"],
  name: ['that server does not know its name', `correct the address in ${CONFIGURE}, or that server's DNS`],
};

function checkRefusal(check: PluginReports, hasOtherFault: boolean): Finding[] {
  const { status, reason, code } = check.delivery;
  const refuse = (why: string, remedy: string): Finding[] => [
    fault('plugin_receiver', `the receiver refuses the plugin's test event: ${why}`, remedy),
  ];
  if (status === 401 && reason === 'clock')
    return refuse(
      "that server's clock is more than five minutes off",
      'synchronise its clock (timedatectl set-ntp true)',
    );
  if (status === 401) {
    // The id or the secret is a finding of its own.
    if (hasOtherFault) return [];
    return refuse(
      'it does not know this id and secret, though the configuration has both',
      `restart the receivers with the current configuration; or the address in ${CONFIGURE} is of another service`,
    );
  }
  if (status === 429)
    return refuse('a limit is reached (429)', 'look at its rate and backlog: passport status');
  if ((status ?? 0) >= 500) return refuse(`it answers ${status}`, "look at the receiver's log, and at Redis");
  const said = [String(status ?? 'something'), ...(code === null || code === undefined ? [] : [code])].join(
    ' ',
  );
  return refuse(
    `${check.receiver_url ?? 'the address'} answers ${said}, as no receiver does`,
    `set the address of the receiver in ${CONFIGURE}`,
  );
}

function checkDelivery(check: PluginReports, hasOtherFault: boolean): Finding[] {
  const { kind, why, ms } = check.delivery;
  switch (kind) {
    case 'not_sent':
      return [];
    case 'unreachable': {
      const [problem, remedy] = WHY_UNREACHABLE[why ?? ''] ?? [
        'the connection broke off',
        "look at the receiver's log and at the proxy in front of it",
      ];
      const at = check.receiver_url ?? 'its address';
      return [fault('plugin_receiver', `the plugin cannot reach the receiver at ${at}: ${problem}`, remedy)];
    }
    case 'refused':
      return checkRefusal(check, hasOtherFault);
    case 'accepted': {
      if ((ms ?? 0) <= PAGE_LIMIT_MS) return [];
      const problem = `the receiver takes ${ms} ms to answer that server, and a page waits ${PAGE_LIMIT_MS} ms`;
      return [warning('plugin_receiver', problem, 'shorten the way from that server to the receiver')];
    }
    default:
      return kind satisfies never;
  }
}

function checkUser({ serves_you: serves }: PluginCheck): Finding[] {
  if (serves === null || serves === 'yes') return [];
  const problem =
    serves === 'nobody'
      ? "the plugin does not know which user is the service's, and refuses what the service writes"
      : "the plugin takes another user for the service's, and refuses what the service writes";
  return [fault('plugin_user', problem, `choose the user of this API key in ${CONFIGURE}`)];
}

function compare(examinee: Examinee, reports: PluginReports): Finding[] {
  const found = [...checkComplete(reports), ...checkId(examinee, reports), ...checkSecret(examinee, reports)];
  return [
    ...found,
    ...checkUser(reports),
    ...checkDelivery(reports, found.length > 0),
    ...checkSources(examinee, reports),
  ];
}

/**
 * Has the plugin of a lending library report how it is configured, prove its secret and send a test event, and compares all of it with
 * the configuration of the service.
 */
export async function checkSettings(
  examinee: Examinee,
  capabilities: Facts['capabilities'],
): Promise<{ reports: PluginReports | null; findings: Finding[] }> {
  const { library, libraries, koha, newNonce, isLending } = examinee;
  if (!isLending || !capabilities.pluginRoutes) return { reports: null, findings: [] };
  if (!capabilities.pluginCheck) {
    const problem =
      'whether the plugin has the right address, id and secret: this version cannot report them';
    const remedy =
      'Administration → Plugins → Upload plugin (the .kpz of this release), then koha-plack --restart';
    return { reports: null, findings: [unchecked('plugin_settings', problem, remedy)] };
  }
  const nonce = newNonce();
  const read = await attempt(koha.checkPlugin(nonce));
  if ('error' in read) {
    const what = "the plugin's settings";
    const about = { code: 'plugin_settings', what, knownPermission: 'borrowers: edit_borrowers' } as const;
    return { reports: null, findings: [uncheckedFailure(read.error, about)] };
  }
  const { proof } = read.value;
  const secret = proof === null ? null : provenSecret(libraries, library, { nonce, proof });
  const reports = { ...read.value, secret };
  return { reports, findings: compare(examinee, reports) };
}
