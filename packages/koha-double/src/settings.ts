import { defaultPreferences, type Preferences } from './preferences.ts';
import type { Release } from './release.ts';
import { serviceCard } from './seed/api-user.ts';

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
  readonly off?: readonly PluginSource[];
}

/** Where a scan can come from, and the scans of copies. */
export const pluginSources = ['staff', 'self_check', 'sip', 'copies'] as const;
export type PluginSource = (typeof pluginSources)[number];

/** All that can be switched on a running double; `PUT /_double/settings` changes any part of it. */
export interface Settings {
  release: Release;
  /** Added before each API answer. */
  latency_ms: number;
  /** The server's clock is off by so much: in the `Date` header, dates, tokens and `/about`. */
  clock_skew_seconds: number;
  utc_offset_minutes: number;
  token_life_seconds: number;
  /** Answer every API call with a redirect to this base URL. */
  redirect_to: string | null;
  plugin: boolean;
  plugin_version: string;
  /** The card of the user whom the plugin's configuration page names as the service's; null: none was chosen. */
  plugin_service_user: string | null;
  plack_workers: number;
  /** The name of the card's database index, which differs between servers. */
  card_conflict: 'cardnumber' | 'borrowers.cardnumber';
  /** What another plugin puts before each card that lacks it, when it is scanned and when it is stored; '': there is none. */
  card_prefix: string;
  /** How long a unique attribute stays counted but not yet stored: Koha locks nothing in between. */
  unique_gap_ms: number;
  /** Creates with attributes that are open at the same time deadlock in the database, and one is rolled back. */
  deadlocks: boolean;
  /** Koha's `strict_sql_modes`: text that is too long is an error of the database; without, it is cut silently. */
  strict_sql_modes: boolean;
  /** `PUT /patrons/{id}` that changes nothing: 204 instead of 200. */
  no_change_is_204: boolean;
  /** Library groups of the user's branch: it is in none (null), in one that hides patrons (true), in others (false). */
  groups_hide_patrons: boolean | null;
  /** The API's check of cookie sessions that newer Kohas have. */
  api_csrf_check: boolean;
  maintenance: boolean;
  /** The `csp_header_value` of the staff pages (`koha-conf.xml`, from 26.05 on); '': no policy, as where Koha is not configured. */
  content_security_policy: string;
  webhook: WebhookSettings | null;
  preferences: Preferences;
}

export function defaultSettings(): Settings {
  return {
    release: '24.11',
    latency_ms: 0,
    clock_skew_seconds: 0,
    utc_offset_minutes: 0,
    token_life_seconds: 3600,
    redirect_to: null,
    plugin: true,
    plugin_version: '1.1.0',
    plugin_service_user: serviceCard,
    plack_workers: 4,
    card_conflict: 'cardnumber',
    card_prefix: '',
    unique_gap_ms: 0,
    deadlocks: false,
    strict_sql_modes: false,
    no_change_is_204: false,
    groups_hide_patrons: null,
    api_csrf_check: true,
    maintenance: false,
    content_security_policy: '',
    webhook: null,
    preferences: { ...defaultPreferences },
  };
}
