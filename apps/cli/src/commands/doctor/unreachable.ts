import type { KohaError } from '@passport/koha-client';
import { type Finding, fault } from './finding.ts';

const FIREWALL = 'check that firewalls on both sides allow connections from this machine to that port';
const TLS = 'https needs a port that speaks TLS: compare scheme and port in koha.url';
const CERTIFICATE = "renew or replace the certificate on Koha's web server and reload it";

/** By the cause of a call that was never answered: what is seen, and what to look at. */
const CAUSES: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
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
  certificate_expired: ['its certificate has expired', CERTIFICATE],
  certificate_not_yet_valid: ['its certificate is not valid yet', 'set the clocks: timedatectl set-ntp true'],
  certificate_untrusted: ['its certificate is not trusted', CERTIFICATE],
  certificate_wrong_host: [
    'its certificate is for another name',
    'put the name in the certificate into koha.url',
  ],
};

const OTHERWISE = ['nothing answers', 'check koha.url, whether Koha is up, and the firewall'] as const;

/** That nothing usable answers at koha.url, with what is known of why. */
export function unreachable({ code, causeCode }: KohaError): Finding {
  const [problem, remedy] = CAUSES[causeCode ?? ''] ?? OTHERWISE;
  return fault('unreachable', `no answer from koha.url (${causeCode ?? code}): ${problem}`, remedy);
}
