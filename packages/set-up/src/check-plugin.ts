import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Library, cardPattern, hiddenPartners } from '@passport/config';
import { parseWebhookSecret } from '@passport/contract';
import { attempt, type PluginAbout, type PluginCheck } from '@passport/koha-client';
import { CONFIGURE, showFindings } from './plugin-findings.ts';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { fault, unchecked, warning } from './finding.ts';
import { ENABLE, faultOfFailure, uncheckedFailure } from './koha-failure.ts';

/** The oldest plugin that serves all the routes that this version calls. */
const OLDEST_PLUGIN = '1.0.0';

const UPLOAD =
  'Administration → Plugins → Upload plugin (the .kpz of this release), then koha-plack --restart';
const TAKE_OVER = `take the card patterns over from the service in ${CONFIGURE}`;
const EDIT = 'borrowers: edit_borrowers';

const numbers = (version: string): number[] =>
  version.split('.').map((part) => Number.parseInt(part, 10) || 0);

function isOlder(version: string, than: string): boolean {
  const [one, other] = [numbers(version), numbers(than)];
  const place = other.findIndex((number, index) => (one[index] ?? 0) !== number);
  return place !== -1 && (one[place] ?? 0) < (other[place] ?? 0);
}

/** What the plugin reports; null where there is none, or it does not answer. */
export async function* readAbout(
  { koha, isLending }: Examinee,
  capabilities: Facts['capabilities'],
): FindingsOfCalls<PluginAbout | null> {
  if (!capabilities.pluginRoutes) return null;
  const read = await attempt(koha.about());
  if ('value' in read) return read.value;
  if (isLending) yield faultOfFailure(read.error, "for the plugin's account", EDIT);
  return null;
}

function* checkInstalled({ library: { retry } }: Examinee, { about, capabilities }: Facts): Findings {
  if (!capabilities.pluginRoutes) {
    if (!retry.tellKoha) return;
    const problem = "the plugin's routes do not exist, and retry.tell_koha is true";
    yield fault(
      'plugin_missing',
      problem,
      `${UPLOAD}, or ${ENABLE} where the list has it; without the plugin set retry.tell_koha: false`,
    );
  } else if (about !== null && isOlder(about.version, OLDEST_PLUGIN)) {
    const problem = `the plugin is ${about.version}, and at least ${OLDEST_PLUGIN} is needed`;
    yield fault('plugin_old', problem, UPLOAD);
  } else if (!retry.tellKoha) {
    const problem = 'the plugin is installed, but the desk gets no reports: retry.tell_koha is false';
    yield warning('reports_off', problem, 'set retry.tell_koha: true');
  }
}

/** The plugin itself, and what Koha does by itself at a copy. */
export function* checkPlugin(examinee: Examinee, facts: Facts): Findings {
  const { about, capabilities } = facts;
  yield* checkInstalled(examinee, facts);
  const sendsMail = about?.preferences['AutoEmailNewUser'] === '1';
  if (!capabilities.welcomeNo && (about === null || sendsMail)) {
    const remedy = "Administration → System preferences → AutoEmailNewUser: Don't send";
    if (sendsMail) {
      const problem =
        'every copy gets a welcome mail (AutoEmailNewUser), and this release cannot suppress it per patron';
      yield fault('welcome_mail', problem, remedy);
    } else {
      const problem =
        'in this release the welcome mail cannot be suppressed per patron; whether it is sent, only the plugin can report';
      yield unchecked('welcome_mail', problem, remedy);
    }
  }
}

/** The webhook secret that a proof was made with: whose it is, and the how manieth of theirs. */
interface ProvenSecret {
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

/** Whether this process has the secret at all: a worker has none of webhooks, and doctor all. */
const isRead = (secret: Library['webhookSecrets'][number]): boolean => secret.reveal() !== '';

/** Whose secret proves itself: `library`'s own before that of any other. */
function provenSecret(
  libraries: readonly Library[],
  library: Library,
  { nonce, proof }: { readonly nonce: string; readonly proof: string },
): ProvenSecret | null {
  for (const { id, webhookSecrets } of [library, ...libraries]) {
    const index = webhookSecrets.findIndex(
      (secret) => isRead(secret) && isMadeWith(secret.reveal(), nonce, proof),
    );
    if (index !== -1) return { library: id, place: index + 1, of: webhookSecrets.length };
  }
  return null;
}

/** Whether the plugin's address, id and secret are there, and those of this library. */
function* checkIdentity({ library: { id, webhookSecrets } }: Examinee, reports: PluginReports): Findings {
  const { receiver_url: url, library: entered, proof, secret, secret_from: from } = reports;
  const lacks = [
    ...(url === null ? ['the address of the receiver'] : []),
    ...(entered === null ? ['the library id'] : []),
    ...(proof === null ? [from === 'nowhere' ? 'the secret' : 'a valid secret'] : []),
  ];
  if (lacks.length > 0) {
    const problem = `the plugin reports nothing: it lacks ${lacks.join(', ')}`;
    yield fault('plugin_settings', problem, `enter what is missing in ${CONFIGURE}`);
  }
  if (entered !== null && entered !== id) {
    const problem = `the plugin reports scans as "${entered}", and this library is "${id}"`;
    yield fault('plugin_library', problem, `set the library id to ${id} in ${CONFIGURE}`, entered);
  }
  // Where it is not the right one, the receiver says so to the plugin, which reports it.
  if (proof !== null && secret?.library !== id && webhookSecrets.some(isRead)) {
    const problem =
      secret === null
        ? "the plugin's secret is none of the webhook_secrets of this library"
        : `the plugin has the webhook secret of ${secret.library}`;
    const place =
      from === 'koha-conf'
        ? 'in koha-conf.xml, in <passport_secret>, then koha-plack --restart'
        : `in ${CONFIGURE}`;
    yield fault('plugin_secret', problem, `enter the webhook secret of ${id} ${place}`);
  }
}

function* checkUser({ serves_you: serves }: PluginCheck): Findings {
  if (serves === null || serves === 'yes') return;
  const problem =
    serves === 'nobody'
      ? "the plugin does not know which user is the service's, and refuses what the service writes"
      : "the plugin takes another user for the service's, and refuses what the service writes";
  yield fault('plugin_user', problem, `choose the user of this API key in ${CONFIGURE}`);
}

/** Partners whose cards never reach the service from there: nothing is wrong anywhere else, and their patrons are served nowhere. */
function* checkCards({ partners }: Examinee, { card_patterns: sources }: PluginCheck): Findings {
  if (sources === null) return;
  const read = sources.map((source) => cardPattern.safeParse(source));
  // what could take long on a card is tried on none
  const patterns = read.flatMap(({ data }) => (data === undefined ? [] : [data]));
  if (patterns.length < sources.length) {
    const problem =
      'whether its card patterns fit every partner: one of them could take very long, or is none here';
    yield unchecked('plugin_cards', problem, TAKE_OVER);
    return;
  }
  for (const { id, patterns: theirs } of hiddenPartners(partners, patterns)) {
    const problem =
      theirs.length === 0
        ? `the plugin has card patterns, and those of ${id} may be anything: their patrons are not looked up`
        : `cards of ${id} fit none of the plugin's card patterns: their patrons are not looked up`;
    const found = theirs.length === 0 ? warning : fault;
    yield found('plugin_cards', problem, TAKE_OVER, id);
  }
}

/**
 * Has the plugin of a lending library report how it is configured, prove its secret and check its set-up; compares the first two with
 * the configuration of the service, and shows what it found. Null where nothing of it is known.
 */
export async function* checkSettings(
  examinee: Examinee,
  capabilities: Facts['capabilities'],
): FindingsOfCalls<PluginReports | null> {
  const { library, libraries, koha, newNonce, isLending } = examinee;
  if (!isLending || !capabilities.pluginRoutes) return null;
  const nonce = newNonce();
  const read = await attempt(koha.checkPlugin(nonce));
  if ('error' in read) {
    // Said by its account already.
    if (read.error.causeCode === 'plugin_disabled') return null;
    const what = "the plugin's settings";
    yield uncheckedFailure(read.error, { code: 'plugin_settings', what, knownPermission: EDIT });
    return null;
  }
  const { proof } = read.value;
  const secret = proof === null ? null : provenSecret(libraries, library, { nonce, proof });
  const reports = { ...read.value, secret };
  const ofIdentity = [...checkIdentity(examinee, reports)];
  yield* ofIdentity;
  yield* checkUser(reports);
  yield* showFindings(examinee, capabilities, reports, ofIdentity.length > 0);
  yield* checkCards(examinee, reports);
  return reports;
}
