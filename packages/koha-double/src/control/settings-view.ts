import type { Double } from '../double.ts';
import { serviceCard } from '../seed/api-user.ts';
import type { Settings } from '../settings.ts';

/** The settings in force, and who the service's user is. The webhook secret is only said to be there. */
export interface SettingsView extends Omit<Settings, 'webhook'> {
  readonly library: string;
  readonly webhook: { readonly receiver_url: string; readonly library: string } | null;
  readonly permissions: readonly string[];
  readonly attribute_types: readonly unknown[];
  readonly categories: readonly unknown[];
  readonly libraries: readonly unknown[];
  readonly item_types: readonly unknown[];
  readonly circulation_rules: readonly unknown[];
}

export function readSettings(double: Double): SettingsView {
  const { settings, db } = double;
  const { webhook } = settings;
  return {
    ...settings,
    library: double.library,
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
