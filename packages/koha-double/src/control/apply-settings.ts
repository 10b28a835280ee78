import type { Double } from '../double.ts';
import { isPreferenceName, type Preferences } from '../preferences.ts';
import { isRecord, type Columns } from '../record.ts';
import { isRelease } from '../release.ts';
import { serviceCard } from '../seed/api-user.ts';
import { pluginSources, type Settings, type WebhookSettings } from '../settings.ts';
import { applySetup, type SetupChange } from './apply-setup.ts';
import { putPatron } from './put-patron.ts';

/**
 * A change of settings: any of them, Koha's preferences by name (also inside `preferences`), the set-up tables,
 * and `permissions` of the service's user.
 */
export type SettingsChange = Partial<Omit<Settings, 'preferences'>> &
  Partial<Record<keyof Preferences, string | number | boolean>> & {
    readonly preferences?: Partial<Record<keyof Preferences, string | number | boolean>>;
    readonly permissions?: readonly string[];
  } & SetupChange;

type Check = (value: unknown) => boolean;

const isCount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isText: Check = (value) => typeof value === 'string';

const checks: Readonly<Record<Exclude<keyof Settings, 'preferences'>, Check>> = {
  release: isRelease,
  latency_ms: isCount,
  clock_skew_seconds: isNumber,
  utc_offset_minutes: isNumber,
  token_life_seconds: isCount,
  redirect_to: (value) => value === null || isText(value),
  plugin: isFlag,
  plugin_version: isText,
  plugin_service_user: (value) => value === null || isText(value),
  plack_workers: isCount,
  card_conflict: (value) => value === 'cardnumber' || value === 'borrowers.cardnumber',
  card_prefix: isText,
  unique_gap_ms: isCount,
  deadlocks: isFlag,
  strict_sql_modes: isFlag,
  no_change_is_204: isFlag,
  groups_hide_patrons: (value) => value === null || isFlag(value),
  api_csrf_check: isFlag,
  maintenance: isFlag,
  content_security_policy: isText,
  webhook: (value) => value === null || isWebhook(value),
};

/** Applies a change whole or not at all; the text says what was not understood. */
export function applySettings(double: Double, change: Columns): string | null {
  const settings: Record<string, unknown> = {};
  const preferences: Record<string, string> = {};
  const setup: Record<string, unknown> = {};
  for (const [name, value] of flatten(change)) {
    if (Object.hasOwn(checks, name)) {
      if (!checks[name as keyof typeof checks](value)) return `"${name}" cannot be ${JSON.stringify(value)}`;
      settings[name] = value;
    } else if (isPreferenceName(name)) {
      preferences[name] = preferenceText(value);
    } else {
      setup[name] = value;
    }
  }
  const { permissions, ...tables } = setup;
  const fault = applySetup(double, tables);
  if (fault !== null) return fault;
  Object.assign(double.settings, settings);
  Object.assign(double.settings.preferences, preferences);
  if (Array.isArray(permissions)) putPatron(double, serviceCard, { permissions });
  return null;
}

function flatten(change: Columns): [string, unknown][] {
  const { preferences, ...others } = change;
  return [...Object.entries(others), ...(isRecord(preferences) ? Object.entries(preferences) : [])];
}

function preferenceText(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isWebhook(value: unknown): value is WebhookSettings {
  return (
    isRecord(value) &&
    isText(value['receiver_url']) &&
    isText(value['secret']) &&
    isText(value['library']) &&
    Array.isArray(value['patterns']) &&
    value['patterns'].every(isText) &&
    isCount(value['staff_wait_ms']) &&
    isCount(value['self_check_wait_ms']) &&
    isOff(value['off'])
  );
}

function isOff(value: unknown): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) && value.every((each) => pluginSources.some((source) => source === each)))
  );
}
