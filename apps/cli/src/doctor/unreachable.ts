import type { KohaError } from '@passport/koha-client';
import type { Finding } from './finding.ts';
import { fault } from './finding.ts';

const FIREWALL = 'does a firewall, here or there, let this machine through to that port?';
const TLS = 'https needs a port that speaks TLS: compare scheme and port in koha.url';
const CERTIFICATE = "renew or replace the certificate on Koha's web server and reload it";

/** By the cause of a call that was never answered: what is seen, and what to look at. */
const CAUSES: Readonly<Record<string, readonly [problem: string, mend: string]>> = {
  dns: [
    'its host name is not known to the name servers of this machine',
    'is the name in koha.url spelt rightly? Ask on this machine (in the container): getent hosts NAME',
  ],
  refused: ['nothing listens there', 'is the web server of Koha up, and is the port in koha.url right?'],
  no_route: ['there is no way to it through the network', FIREWALL],
  timeout_connect: ['it takes no connection in time', FIREWALL],
  timeout_tls: ['it takes the connection and does not begin TLS', TLS],
  tls: ['it does not speak TLS', TLS],
  protocol: ['it does not speak HTTP', TLS],
  timeout_answer: [
    'it takes the connection and does not answer in time',
    "look at Koha's web workers (koha-plack --status) and at koha.timeout",
  ],
  reset: [
    'it closes the connection before it answers',
    'look at the proxy in front of Koha, and at Koha itself',
  ],
  too_large: ['it answers more than any Koha does', 'is koha.url the address of a Koha?'],
  certificate_expired: ['its certificate has expired', CERTIFICATE],
  certificate_not_yet_valid: ['its certificate is not valid yet', 'set the clocks: timedatectl set-ntp true'],
  certificate_untrusted: ['its certificate is not trusted', CERTIFICATE],
  certificate_wrong_host: [
    'its certificate is for another name',
    'put the name in the certificate into koha.url',
  ],
};

const OTHERWISE = ['nothing answers', 'is koha.url right, is Koha up? And the firewall'] as const;

/** That nothing usable answers at koha.url, with what is known of why. */
export function unreachable({ code, causeCode }: KohaError): Finding {
  const [problem, mend] = CAUSES[causeCode ?? ''] ?? OTHERWISE;
  return fault('unreachable', `no answer from koha.url (${causeCode ?? code}): ${problem}`, mend);
}
