import type { Capabilities } from '@passport/koha-client';
import type { Examinee } from './examinee.ts';
import { type Finding, fault, warning } from './finding.ts';
import { attempt } from './koha-failure.ts';
import { unreachable } from './unreachable.ts';

const DAY_MS = 86_400_000;
/** Certificates of 90 days are renewed 30 days before their end; later than this the renewal has failed. */
const CERTIFICATE_WARNING_DAYS = 21;

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

/** What is at the configured address. Without a description nothing else can be examined. */
export interface AddressFacts {
  readonly findings: readonly Finding[];
  readonly capabilities: Capabilities | null;
  readonly clockAheadMs: number | null;
}

const nothing = (...findings: Finding[]): AddressFacts => ({
  findings,
  capabilities: null,
  clockAheadMs: null,
});

async function checkCertificate({ library, now, readCertificate }: Examinee): Promise<Finding[]> {
  const { url, timeoutMs } = library.koha;
  const certificate = await readCertificate(url, { timeoutMs });
  const remedy = "renew the certificate on Koha's web server and reload it";
  switch (certificate.kind) {
    case 'not_tls':
    case 'unreachable':
      return [];
    case 'untrusted': {
      const { reason, validUntilMs } = certificate;
      if (validUntilMs !== null && validUntilMs < now()) {
        const day = new Date(validUntilMs).toISOString().slice(0, 10);
        return [fault('certificate', `the certificate has expired on ${day}`, remedy)];
      }
      const [problem, other] = UNTRUSTED[reason] ?? [
        'the certificate is not trusted',
        'serve the full chain of a trusted authority; for your own authority, set NODE_EXTRA_CA_CERTS',
      ];
      return [fault('certificate', `${problem} (${reason})`, other)];
    }
    case 'trusted': {
      const days = Math.floor((certificate.validUntilMs - now()) / DAY_MS);
      return days < CERTIFICATE_WARNING_DAYS
        ? [warning('certificate', `the certificate expires in ${days} days`, remedy)]
        : [];
    }
    default:
      return certificate satisfies never;
  }
}

/** Queries what answers at the address, without logging in. */
export async function checkAddress(examinee: Examinee): Promise<AddressFacts> {
  const certificate = await checkCertificate(examinee);
  if (certificate.some(({ level }) => level === 'fault')) return nothing(...certificate);
  const reached = await attempt(examinee.koha.reach());
  if ('error' in reached) {
    return nothing(unreachable(reached.error));
  }
  const reach = reached.value;
  switch (reach.kind) {
    case 'redirect': {
      const to = reach.to ?? 'an unreadable address';
      return nothing(
        fault(
          'redirect',
          `koha.url redirects to ${to}; redirects are not followed`,
          `set koha.url to ${to}, if that is this library`,
        ),
      );
    }
    case 'not_koha':
      return nothing(
        reach.status >= 500
          ? fault(
              'unreachable',
              `Koha's API answers ${reach.status}`,
              'check whether Koha is under maintenance, its web server and Plack: koha-plack --status',
            )
          : fault(
              'not_koha',
              `koha.url is not a Koha API (status ${reach.status})`,
              'koha.url is the address of the staff interface or the OPAC, without /api/v1',
            ),
      );
    case 'koha':
      return {
        findings: certificate,
        capabilities: reach.capabilities,
        clockAheadMs:
          reach.serverTimeMs === null ? null : reach.serverTimeMs - (examinee.now() - reach.roundTripMs / 2),
      };
    default:
      return reach satisfies never;
  }
}
