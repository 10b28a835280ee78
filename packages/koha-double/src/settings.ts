import { isRecord } from './record.ts';
import { isRelease, type Release } from './release.ts';

/** The card of the service's user. */
export const serviceCard = 'PASSPORT-SERVICE';

/** What the plugin reports, each on or off: scans at desk and self-check, and those of copies. */
export const pluginSources = ['staff', 'self_check', 'copies'] as const;

/** Where the double's plugin side sends its events, and how long a page waits for the patron. */
export interface WebhookSettings {
  readonly receiver_url: string;
  readonly secret: string;
  readonly library: string;
  /** Which of the things typed into the checkout box are cards; regular expressions. */
  readonly patterns: readonly string[];
  readonly staff_wait_ms: number;
  readonly self_check_wait_ms: number;
  /** What the configuration page has switched off. */
  readonly off?: readonly (typeof pluginSources)[number][];
  /** The SIP accounts that are kiosks of the library: no card of another is reported. */
  readonly sip?: readonly string[];
  /** What else the plugin has stored, for its own pages. */
  readonly more?: Readonly<Record<string, string>>;
}

/** One setting: what it is at first, and what else it may be. */
interface Setting<Value> {
  readonly initial: Value;
  fits(value: unknown): boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => isNumber(value) && Number(value) >= 0;

const flag = (initial: boolean): Setting<boolean> => ({
  initial,
  fits: (value) => typeof value === 'boolean',
});
const text = (initial: string): Setting<string> => ({ initial, fits: isText });
const count = (initial: number): Setting<number> => ({ initial, fits: isCount });
const number = (initial: number): Setting<number> => ({ initial, fits: isNumber });
const orNull = <Value>(initial: Value | null, fits: (value: unknown) => boolean): Setting<Value | null> => ({
  initial,
  fits: (value) => value === null || fits(value),
});

/** All that can be switched on a running double, preferences apart; `PUT /_double/settings` changes any part of it. */
const table = {
  release: { initial: '24.11', fits: isRelease } as Setting<Release>,
  /** Added before each API answer. */
  latency_ms: count(0),
  /** The server's clock is off by so much: in the `Date` header, dates, tokens and `/about`. */
  clock_skew_seconds: number(0),
  utc_offset_minutes: number(0),
  /** Answer every API call with a redirect to this base URL. */
  redirect_to: orNull<string>(null, isText),
  plugin: flag(true),
  /** Switched off in Koha's list of plugins, and no web worker has started since: its routes are there. */
  plugin_disabled: flag(false),
  plugin_version: text('1.0.0'),
  /** The card of the user whom the plugin's configuration page names as the service's; null: none was chosen. */
  plugin_service_user: orNull<string>(serviceCard, isText),
  /** What the plugin's set-up check finds (`POST /check`); nothing of it is found here. */
  plugin_findings: { initial: [], fits: Array.isArray } as Setting<readonly unknown[]>,
  plack_workers: count(4),
  /** The name of the card's database index, which differs between servers. */
  card_conflict: text('cardnumber'),
  /** What another plugin puts before each card that lacks it, when it is scanned and when it is stored; '': there is none. */
  card_prefix: text(''),
  /** How long a unique attribute stays counted but not yet stored: Koha locks nothing in between. */
  unique_gap_ms: count(0),
  /** Creates with attributes that are open at the same time deadlock in the database, and one is rolled back. */
  deadlocks: flag(false),
  /** Koha's `strict_sql_modes`: text that is too long is an error of the database; without, it is cut silently. */
  strict_sql_modes: flag(false),
  /** Library groups of the user's branch: it is in none (null), in one that hides patrons (true), in others (false). */
  groups_hide_patrons: orNull<boolean>(null, (value) => typeof value === 'boolean'),
  maintenance: flag(false),
  /** The `csp_header_value` of the staff pages (`koha-conf.xml`, from 26.05 on); '': no policy, as where Koha is not configured. */
  content_security_policy: text(''),
  webhook: orNull<WebhookSettings>(null, isWebhook),
  /** The same of a library that asked to join and is not known to the service yet: it reports nothing. */
  plugin_waiting: orNull<WebhookSettings>(null, isWebhook),
};

type Table = typeof table;

/** The settings in force. */
export type Settings = { -readonly [Name in keyof Table]: Table[Name]['initial'] } & {
  preferences: Preferences;
};

export function defaultSettings(): Settings {
  const initial = Object.entries(table).map(([name, setting]) => [name, setting.initial]);
  return { ...Object.fromEntries(initial), preferences: { ...defaultPreferences } } as Settings;
}

/** Whether a setting may have the value; undefined: there is no such setting. */
export function fitsSetting(name: string, value: unknown): boolean | undefined {
  return Object.hasOwn(table, name) ? table[name as keyof Table].fits(value) : undefined;
}

function isWebhook(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { patterns, off = [], sip = [] } = value;
  const isSource = (each: unknown): boolean => pluginSources.some((source) => source === each);
  return (
    ['receiver_url', 'secret', 'library'].every((name) => isText(value[name])) &&
    ['staff_wait_ms', 'self_check_wait_ms'].every((name) => isCount(value[name])) &&
    Array.isArray(patterns) &&
    patterns.every(isText) &&
    Array.isArray(off) &&
    off.every(isSource) &&
    Array.isArray(sip) &&
    sip.every(isText)
  );
}

/** Koha's system preferences that the double honours or reports, with Koha's defaults unless a comment says why not. */
const defaultPreferences = {
  AnonymousPatron: '0',
  staffClientBaseURL: '',
  AutoEmailNewUser: '0',
  DisableStatistics: '0',
  BorrowerMandatoryField: 'surname|cardnumber|categorycode',
  ChildNeedsGuarantor: '0',
  CircAutoPrintQuickSlip: 'qslip',
  CircConfirmItemParts: '0',
  EmailPatronRegistrations: '0',
  ExtendedPatronAttributes: '1',
  IndependentBranches: '0',
  PatronAutoComplete: '1',
  PatronDuplicateMatchingAddFields: 'surname|firstname|dateofbirth',
  RentalFeesCheckoutConfirmation: '0',
  TrackLastPatronActivityTriggers: '',
  // A consortium member has the key pairs on; Koha's own default is off.
  RESTOAuth2ClientCredentials: '1',
  RESTBasicAuth: '0',
  RESTdefaultPageSize: '20',
  WebBasedSelfCheck: '1',
} as const;

export type PreferenceName = keyof typeof defaultPreferences;
export type Preferences = Record<PreferenceName, string>;

export function isPreferenceName(name: string): name is PreferenceName {
  return Object.hasOwn(defaultPreferences, name);
}
