import type { Double } from '../double.ts';
import { asText, isRecord, type Columns } from '../record.ts';
import {
  fitsSetting,
  isPreferenceName,
  serviceCard,
  type PreferenceName,
  type Settings,
} from '../settings.ts';
import { completeTables, type SetupDrafts } from '../setup/setup-rows.ts';
import { putPatron } from './put-rows.ts';

type Preferences = Partial<Record<PreferenceName, string | number | boolean>>;

/**
 * A change of settings: any of them, Koha's preferences by name (also inside `preferences`), the set-up tables,
 * each of which is replaced, and `permissions` of the service's user.
 */
export type SettingsChange = Partial<Omit<Settings, 'preferences'>> &
  Preferences & {
    readonly preferences?: Preferences;
    readonly permissions?: readonly string[];
  } & Partial<SetupDrafts>;

/** What a row of a set-up table cannot do without. */
const needed: Readonly<Record<string, readonly string[]>> = {
  libraries: ['library_id'],
  categories: ['patron_category_id'],
  item_types: ['item_type_id'],
  attribute_types: ['code'],
  circulation_rules: ['rule', 'value'],
};

/** Applies a change whole or not at all; the text says what was not understood. */
export function applySettings(double: Double, change: Columns): string | null {
  const settings: Record<string, unknown> = {};
  const preferences: Record<string, string> = {};
  const tables: Record<string, unknown> = {};
  const { preferences: inside, permissions, ...others } = change;
  for (const [name, value] of Object.entries({ ...others, ...(isRecord(inside) ? inside : {}) })) {
    const fits = fitsSetting(name, value);
    if (fits === false) return `"${name}" cannot be ${JSON.stringify(value)}`;
    const keys = needed[name];
    if (fits === true) settings[name] = value;
    else if (isPreferenceName(name))
      preferences[name] = asText(typeof value === 'boolean' ? Number(value) : value);
    else if (keys === undefined) {
      return `"${name}" is no setting, no preference that the double honours, and no table`;
    } else if (!areRows(value, keys)) return `"${name}" must be a list of rows with ${keys.join(' and ')}`;
    else tables[name] = value;
  }
  Object.assign(double.db, completeTables(tables));
  Object.assign(double.settings, settings);
  Object.assign(double.settings.preferences, preferences);
  if (Array.isArray(permissions)) putPatron(double, serviceCard, { permissions });
  return null;
}

function areRows(value: unknown, keys: readonly string[]): boolean {
  return Array.isArray(value) && value.every((row) => isRecord(row) && keys.every((key) => key in row));
}

/** The settings in force, and who the service's user is. The webhook secret is only said to be there. */
export function readSettings({ settings, db, library }: Double) {
  const { webhook } = settings;
  return {
    ...settings,
    library,
    preferences: { ...settings.preferences },
    webhook: webhook === null ? null : { receiver_url: webhook.receiver_url, library: webhook.library },
    permissions: [...(db.patrons.withCard(serviceCard)?.permissions ?? [])],
    attribute_types: [...db.attributeTypes.values()],
    categories: [...db.categories.values()],
    libraries: [...db.libraries.values()],
    item_types: [...db.itemTypes.values()],
    circulation_rules: db.circulationRules,
  };
}
