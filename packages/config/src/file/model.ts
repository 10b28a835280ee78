import type { NotificationTopic } from '@passport/contract';
import type * as z from 'zod';
import type { CopyField } from './field-groups.ts';
import type { eligibilitySection, limitsSection } from './file-schema.ts';
import type { CamelKeys } from './key-case.ts';
import type { Secret } from '../secrets/secret.ts';
import type { PlannedWindow } from '../windows/windows-key.ts';

/** The whole configuration file, checked, expanded and deeply frozen. */
export interface Consortium {
  readonly name: string;
  readonly locate: { readonly strict: boolean; readonly patternsDecide: boolean };
  readonly retention: {
    readonly finishedMs: number;
    readonly failedMs: number;
    readonly receiptsMs: number;
    readonly auditMs: number;
  };
  readonly libraries: readonly Library[];
  readonly agreements: Agreements;
  /** Who may use the dashboard, beside the logins of its environment. */
  readonly users: readonly User[];
  /** Where operators are notified. */
  readonly notify: readonly NotifiedEndpoint[];
}

/** Somebody's address for messages to operators. */
export interface NotifiedEndpoint {
  readonly name: string;
  readonly url: Secret<string>;
  readonly format: 'standard' | 'slack' | 'teams';
  /** The whole `whsec_...` text. Null: nothing is signed, and the address itself is the secret. */
  readonly secret: Secret<string> | null;
  readonly topics: readonly NotificationTopic[];
  readonly libraries: 'all' | readonly string[];
}

/** Somebody who may use the dashboard. */
export interface User {
  readonly name: string;
  readonly role: 'operator' | 'viewer';
  /** The lending libraries whose scans they see. */
  readonly libraries: 'all' | readonly string[];
  /** Null: a proxy logs them in. */
  readonly password: Secret<string> | null;
}

export interface Library {
  readonly id: string;
  readonly name: string;
  /** False: shut out, neither queried nor served; it stands in no agreement. */
  readonly enabled: boolean;
  readonly koha: KohaAccess;
  /** Empty: home only. Each is the whole `whsec_...` text. */
  readonly webhookSecrets: readonly Secret<string>[];
  readonly limits: Limits;
  /** Empty: queried for every card. */
  readonly cards: readonly RegExp[];
  readonly share: Share;
  readonly copy: CopyPolicy;
  readonly eligibility: Eligibility;
  readonly retry: RetryPolicy;
  /** Null: copies stay as they were made. */
  readonly refresh: RefreshPolicy | null;
  /** Null: what copies owe is not read. */
  readonly owed: OwedPolicy | null;
  /** When it is planned to be paused. */
  readonly windows: readonly PlannedWindow[];
}

/** When and how far the copies of a lending library are refreshed. */
export interface RefreshPolicy {
  /** In the worker's time zone; null: never as a whole. */
  readonly sweep: { readonly hour: number; readonly minute: number } | null;
  /** Each copy that is scanned, too, once a day at most. */
  readonly atScan: boolean;
  readonly applies: AppliedChanges;
}

/** Which changes at home a copy follows; the others are reported only. */
export interface AppliedChanges {
  readonly card: boolean;
  readonly expiry: boolean;
  readonly restricted: boolean;
  readonly cardLost: boolean;
}

/** When it is read what the copies at a lending library owe, in the worker's time zone. */
export interface OwedPolicy {
  readonly read: { readonly hour: number; readonly minute: number };
}

export interface KohaAccess {
  /** Without a slash at its end; `/api/v1` goes behind it. */
  readonly url: string;
  readonly clientId: Secret<string>;
  readonly clientSecret: Secret<string>;
  readonly timeoutMs: number;
  /** `auto`: as many as its Koha has web workers. */
  readonly maxInFlight: number | 'auto';
}

/** Rate and volume limits of a library, by the keys of the file. */
export type Limits = CamelKeys<z.output<typeof limitsSection>>;

/** What a home library discloses, whoever requests it. */
export interface Share {
  readonly fields: readonly CopyField[];
  readonly categories: CategoryFilter;
  readonly optOutAttribute: string | null;
}

/** How a lending library makes copies. */
export interface CopyPolicy {
  /** `observe`: nothing is written; what would have been done is only shown. */
  readonly mode: 'copy' | 'observe';
  /** Null only for a library that is never a lending one. */
  readonly category: CategoryChoice | null;
  /** Other categories that a copy may be in. */
  readonly formerCategories: readonly string[];
  readonly branch: BranchChoice;
  readonly fields: readonly CopyField[];
  readonly set: Readonly<Record<string, string>>;
  readonly expiry: ExpiryChoice;
  readonly passportAttribute: string;
  readonly homeKeyAttribute: string | null;
  /** Null: patrons are copied without it. */
  readonly consent: ConsentPolicy | null;
  /** `koha`: what the lending Koha does by itself. */
  readonly onLookAlike: 'koha' | 'stop' | 'create';
}

/** What patrons must agree to before they are copied. */
export interface ConsentPolicy {
  readonly textId: string;
  /** By language. */
  readonly texts: Readonly<Record<string, string>>;
  readonly withinMs: number;
}

export type BranchChoice = { readonly kind: 'scan' } | { readonly kind: 'fixed'; readonly branch: string };

export type ExpiryChoice =
  | { readonly kind: 'home' }
  | { readonly kind: 'category' }
  | { readonly kind: 'days'; readonly days: number };

export type CategoryFilter =
  | { readonly kind: 'all' }
  | { readonly kind: 'only'; readonly categories: readonly string[] }
  | { readonly kind: 'except'; readonly categories: readonly string[] };

export type CategoryChoice =
  | { readonly kind: 'one'; readonly category: string }
  | {
      readonly kind: 'by_home_category';
      readonly map: Readonly<Record<string, string>>;
      /** Null: a home category that is not in the map is refused. */
      readonly otherwise: string | null;
    };

/** Whom a lending library accepts, by the keys of the file. */
export type Eligibility = CamelKeys<z.output<typeof eligibilitySection>>;

export interface RetryPolicy {
  readonly tellKoha: boolean;
  readonly checkout: boolean;
  readonly checkoutWithinMs: number;
  /** Koha's upper-case keys that may be confirmed without a person. */
  readonly confirm: readonly string[];
  readonly giveUpAfterMs: number;
}

/** The ordered pairs that can work: both enabled, the lending one with a webhook secret and a category. In the file's order. */
export interface Agreements {
  readonly count: number;
  /** Under which patrons of others may borrow at `lending`. */
  at(lending: string): readonly Agreement[];
  /** Those of `at` whose home is wanted. A lending library may have a thousand, of which a card needs one. */
  among(lending: string, isWanted: (home: string) => boolean): readonly Agreement[];
  /** Whether there is a library whose patrons may borrow at this one. */
  isLending(library: string): boolean;
  /** Whether there is a library where patrons of this one may borrow. */
  isHome(library: string): boolean;
  /** Whose patrons may borrow at `lending`. */
  homesAt(lending: string): ReadonlySet<string>;
  /** Where patrons of `home` may borrow. */
  lendersOf(home: string): ReadonlySet<string>;
  /** Whether there is a library where patrons of both may borrow. */
  haveLenderInCommon(home: string, other: string): boolean;
  /** All of them, written out: for print. */
  all(): readonly Agreement[];
}

/** Patrons of `home` may borrow at `lending`. One direction. */
export interface Agreement {
  readonly home: string;
  readonly lending: string;
  /** Null: no narrower than `share` and `copy.fields`. */
  readonly fields: readonly CopyField[] | null;
  readonly categories: CategoryFilter;
  /** Who owes more at `lending` is restricted at `home`: hundredths of the currency of `lending`. Null: nobody is. */
  readonly blockHomeOver: number | null;
}
