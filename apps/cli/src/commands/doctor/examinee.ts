import type { Consortium, Library } from '@passport/config';
import {
  type CertificateExpiry,
  type Capabilities,
  type KohaBranch,
  type PluginAbout,
  type VisiblePatrons,
  readCertificateExpiry,
} from '@passport/koha-client';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { OpenKoha } from '../../connect/koha-clients.ts';

/** A library under examination, and what it is in the consortium. */
export interface Examinee {
  readonly library: Library;
  /** All of the consortium. */
  readonly libraries: readonly Library[];
  readonly isHome: boolean;
  readonly isLending: boolean;
  /** Whether balances are read here with the cards, for each way in which that is done. */
  readonly balances: readonly boolean[];
  readonly koha: OpenKoha;
  readonly now: () => number;
  /** Chosen anew each time, for what the plugin is to prove. */
  readonly newNonce: () => string;
  readonly readCertificate: (
    url: string,
    options: { readonly timeoutMs: number },
  ) => Promise<CertificateExpiry>;
}

/** What its Koha has said of itself, for the checks that come after. */
export interface Facts {
  readonly capabilities: Capabilities;
  /** Null: this API user may not look patrons up. */
  readonly visible: VisiblePatrons | null;
  /** Null: this API user may not see them. */
  readonly branches: readonly KohaBranch[] | null;
  /** Null: no plugin, or it does not answer. */
  readonly about: PluginAbout | null;
  /** How far the Koha's clock is ahead of ours, in milliseconds; null when unknown. */
  readonly clockAheadMs: number | null;
}

/** A library of the consortium, with its Koha, to be examined. */
export function examineeOf(
  library: Library,
  koha: OpenKoha,
  consortium: Consortium,
  { now, randomBytes }: Pick<CliDeps, 'now' | 'randomBytes'>,
): Examinee {
  return {
    library,
    libraries: consortium.libraries,
    ...rolesOf(library, consortium),
    koha,
    now,
    newNonce: () => randomBytes(24).toString('base64url'),
    readCertificate: readCertificateExpiry,
  };
}

/** What a library is in the agreements. One that stands in none is examined as what it could be. */
function rolesOf({ id, webhookSecrets }: Library, { agreements, libraries }: Consortium) {
  const lenders = agreements.lendersOf(id);
  const balances = libraries
    .filter((library) => lenders.has(library.id))
    .map(({ eligibility }) => eligibility.maxDebt !== null);
  const isHome = lenders.size > 0;
  const isLending = agreements.isLending(id);
  return isHome || isLending
    ? { isHome, isLending, balances }
    : { isHome: true, isLending: webhookSecrets.length > 0, balances: [false] };
}
