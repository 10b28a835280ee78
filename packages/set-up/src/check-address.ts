import { attempt, type Capabilities, type CertificateExpiry, type KohaError } from '@passport/koha-client';
import { localParts } from '@passport/runtime';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { type Finding, fault, warning } from './finding.ts';
import { SUPPORTED } from './koha-failure.ts';

const DAY_MS = 86_400_000;
/** Certificates of 90 days are renewed 30 days before their end; later than this the renewal has failed. */
const CERTIFICATE_WARNING_DAYS = 21;
const RENEW = "renew the certificate on Koha's web server and reload it";

/** What is wrong with a certificate beside its age and its issuer. */
const UNTRUSTED: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate is for another name than the one in koha.url',
    'put the name of the certificate into koha.url, or serve a certificate for this one',
  ],
  CERT_NOT_YET_VALID: [
    'the certificate is not valid yet',
    'correct the clock of this machine, or of the one that issued the certificate: timedatectl set-ntp true',
  ],
};

const FIREWALL = 'check that firewalls on both sides allow connections from this machine to that port';
const TLS = 'https needs a port that speaks TLS: compare scheme and port in koha.url';

/** By the cause of a call that was never answered: what is seen, and what to look at. */
const UNREACHABLE: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  dns: [
    'this machine cannot resolve its host name',
    'check the name in koha.url; on this machine (in the container), run: getent hosts NAME',
  ],
  refused: [
    'nothing listens on that port',
    'check that the web server of Koha is up, and the port in koha.url',
  ],
  no_route: ['there is no network route to it', FIREWALL],
  timeout_connect: ['connecting to it timed out', FIREWALL],
  timeout_tls: ['it accepts the connection but does not start TLS', TLS],
  tls: ['it does not speak TLS', TLS],
  protocol: ['it does not speak HTTP', TLS],
  timeout_answer: [
    'it accepts the connection but does not answer in time',
    "check Koha's web workers (koha-plack --status) and koha.timeout",
  ],
  reset: ['it closes the connection without an answer', 'check the proxy in front of Koha, and Koha itself'],
  too_large: ['its answer is larger than any of Koha', 'check that koha.url is the address of a Koha'],
  certificate_expired: ['its certificate has expired', RENEW],
  certificate_not_yet_valid: ['its certificate is not valid yet', 'set the clocks: timedatectl set-ntp true'],
  certificate_untrusted: ['its certificate is not trusted', RENEW],
  certificate_wrong_host: [
    'its certificate is for another name',
    'put the name in the certificate into koha.url',
  ],
};

const OTHERWISE = ['nothing answers', 'check koha.url, whether Koha is up, and the firewall'] as const;

/** That nothing usable answers at koha.url, with what is known of why. */
function unreachable({ code, causeCode }: KohaError): Finding {
  const [problem, remedy] = UNREACHABLE[causeCode ?? ''] ?? OTHERWISE;
  return fault('unreachable', `no answer from koha.url (${causeCode ?? code}): ${problem}`, remedy);
}

/** What is at the configured address. Without a description nothing else can be examined. */
export interface AddressFacts {
  readonly capabilities: Capabilities | null;
  readonly clockAheadMs: number | null;
}

const NOTHING: AddressFacts = { capabilities: null, clockAheadMs: null };

function certificateFinding(certificate: CertificateExpiry, nowMs: number): Finding | null {
  switch (certificate.kind) {
    case 'not_tls':
    case 'unreachable':
      return null;
    case 'untrusted': {
      const { reason, validUntilMs } = certificate;
      if (validUntilMs !== null && validUntilMs < nowMs) {
        const day = localParts(validUntilMs).day;
        return fault('certificate', `the certificate has expired on ${day}`, RENEW);
      }
      const [problem, remedy] = UNTRUSTED[reason] ?? [
        'the certificate is not trusted',
        'serve the full chain of a trusted authority; for your own authority, set NODE_EXTRA_CA_CERTS',
      ];
      return fault('certificate', `${problem} (${reason})`, remedy);
    }
    case 'trusted': {
      const days = Math.floor((certificate.validUntilMs - nowMs) / DAY_MS);
      const isSoon = days < CERTIFICATE_WARNING_DAYS;
      return isSoon ? warning('certificate', `the certificate expires in ${days} days`, RENEW) : null;
    }
    default:
      return certificate satisfies never;
  }
}

/** Queries what answers at the address, without logging in. */
export async function* checkAddress(examinee: Examinee): FindingsOfCalls<AddressFacts> {
  const { library, koha, now } = examinee;
  const certificate = await examinee.readCertificate(library.koha.url, library.koha);
  const found = certificateFinding(certificate, now());
  if (found !== null) yield found;
  if (found?.level === 'fault') return NOTHING;
  const reached = await attempt(koha.reach());
  if ('error' in reached) {
    yield unreachable(reached.error);
    return NOTHING;
  }
  const reach = reached.value;
  if (reach.kind === 'koha') {
    const { capabilities, serverTimeMs, roundTripMs } = reach;
    const clockAheadMs = serverTimeMs === null ? null : serverTimeMs - (now() - roundTripMs / 2);
    return { capabilities, clockAheadMs };
  }
  if (reach.kind === 'redirect') {
    const to = reach.to ?? 'an unreadable address';
    const problem = `koha.url redirects to ${to}; redirects are not followed`;
    yield fault('redirect', problem, `set koha.url to ${to}, if that is this library`);
  } else if (reach.status >= 500) {
    const remedy = 'check whether Koha is under maintenance, its web server and Plack: koha-plack --status';
    yield fault('unreachable', `Koha's API answers ${reach.status}`, remedy);
  } else {
    const remedy = 'koha.url is the address of the staff interface or the OPAC, without /api/v1';
    yield fault('not_koha', `koha.url is not a Koha API (status ${reach.status})`, remedy);
  }
  return NOTHING;
}

/** The receiver refuses what is further off (docs/integrating.md: 401, reason `clock`). */
const REFUSED_SECONDS = 300;
const WARNING_SECONDS = 60;

/** Whether this Koha's clock agrees with ours. */
export function* checkClock({ isLending }: Examinee, { clockAheadMs }: Facts): Findings {
  const seconds = Math.round(Math.abs(clockAheadMs ?? 0) / 1000);
  if (clockAheadMs === null || seconds <= WARNING_SECONDS) return;
  const problem = `the clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  const remedy = "on the server whose clock is wrong, this one or Koha's: timedatectl set-ntp true";
  if (seconds <= REFUSED_SECONDS || !isLending) yield warning('clock_off', problem, remedy);
  else yield fault('clock_off', `${problem}: the receiver refuses its events`, remedy);
}

/** `24.11` of `24.11.05.000`; null for what is no version of Koha's. */
function releaseOf(version: string | null | undefined): string | null {
  const [, year, month] = /^(\d{2})\.(\d{2})\./.exec(`${version ?? ''}.`) ?? [];
  return year === undefined || month === undefined ? null : `${year}.${month}`;
}

/** Whether this Koha is of a release that the service is made for. Development versions (25.06) count as what they lead to. */
export function* checkRelease({ isLending }: Examinee, { about, capabilities }: Facts): Findings {
  const { oldest, newest } = SUPPORTED;
  const release = releaseOf(about?.koha_version);
  if (!capabilities.checkoutAvailability || (release !== null && release < oldest)) {
    const which = release === null ? `older than ${oldest}` : release;
    const problem = `this Koha is ${which}: its API has no checkouts, and is not tested`;
    yield (isLending ? fault : warning)('koha_old', problem, `upgrade Koha to ${oldest} or later`);
  } else if (release !== null && release > newest) {
    const problem = `this Koha is ${release}, and the service supports ${oldest} to ${newest}`;
    const remedy =
      'look for a newer version of Patron Passport; until then, test with `passport doctor --probe`';
    yield warning('koha_new', problem, remedy);
  }
}
