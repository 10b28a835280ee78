import { type Consortium, type Library, type PartnerCards, partnerCards } from '@passport/config';
import {
  type Capabilities,
  type CertificateExpiry,
  type KohaBranch,
  type KohaClient,
  type PluginAbout,
  readCertificateExpiry,
  type VisiblePatrons,
} from '@passport/koha-client';
import type { Finding } from './finding.ts';

/** What of its client an examination needs: all that may be called, by whichever way the calls go. */
export type ExaminedKoha = Pick<
  KohaClient,
  | 'about'
  | 'availability'
  | 'branches'
  | 'capabilities'
  | 'categories'
  | 'changePatron'
  | 'checkPlugin'
  | 'findByAttribute'
  | 'findByCard'
  | 'findCheckout'
  | 'findItem'
  | 'knowsApiKey'
  | 'probeAttributeTypeByRefusal'
  | 'reach'
  | 'readPatron'
  | 'storedRules'
  | 'visiblePatrons'
>;

/** A library under examination, and what it is in the consortium. */
export interface Examinee {
  readonly library: Library;
  /** All of the consortium. */
  readonly libraries: readonly Library[];
  /** Whose patrons may borrow here, and what their cards look like. */
  readonly partners: readonly PartnerCards[];
  readonly isHome: boolean;
  readonly isLending: boolean;
  /** Whether balances are read here with the cards, for each way in which that is done. */
  readonly balances: readonly boolean[];
  readonly koha: ExaminedKoha;
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

/** What a check finds, one by one; `R` is what it leaves for others. */
export type Findings<R = void> = Generator<Finding, R, undefined>;
/** The same of a check that calls the Koha. */
export type FindingsOfCalls<R = void> = AsyncGenerator<Finding, R, undefined>;

export interface ExamineeDeps extends Pick<Examinee, 'now' | 'newNonce'> {
  /** Over a connection of its own, unless another way is named. */
  readonly readCertificate?: Examinee['readCertificate'];
}

/** A library of the consortium, with its Koha, to be examined. One that stands in no agreement is examined as what it could be. */
export function examineeOf(
  library: Library,
  koha: ExaminedKoha,
  consortium: Consortium,
  { now, newNonce, readCertificate = readCertificateExpiry }: ExamineeDeps,
): Examinee {
  const { agreements, libraries } = consortium;
  const lenders = agreements.lendersOf(library.id);
  const isLending = agreements.isLending(library.id);
  const isAlone = lenders.size === 0 && !isLending;
  const lending = libraries.filter(({ id }) => lenders.has(id));
  return {
    library,
    libraries,
    partners: partnerCards(consortium, library.id),
    isHome: isAlone || lenders.size > 0,
    isLending: isAlone ? library.webhookSecrets.length > 0 : isLending,
    balances: isAlone ? [false] : lending.map(({ eligibility }) => eligibility.maxDebt !== null),
    koha,
    now,
    newNonce,
    readCertificate,
  };
}
