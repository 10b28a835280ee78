export type { CallEntry } from './control/call-log.ts';
export type { Controls } from './control/controls.ts';
export type { SettingsChange } from './control/apply-settings.ts';
export type { Fault, FaultDraft, FaultKind } from './control/fault-queue.ts';
export type { SettingsView } from './control/settings-view.ts';
export type { DoubleState, StoredCheckout, StoredItem, StoredPatron } from './control/stored-rows.ts';
export type { Exchange } from './exchange.ts';
export type { OutcomeRow } from './plugin/outcome-table.ts';
export type { PreferenceName, Preferences } from './preferences.ts';
export { isFrom, releases, type Release } from './release.ts';
export { derivedCredentials, serviceCard, servicePermissions, type Credentials } from './seed/api-user.ts';
export { emptySeed } from './seed/empty-seed.ts';
export { buildSeed, numberedWith, type SeedPlan } from './seed/build-seed.ts';
export { demoSeed } from './seed/demo-seeds.ts';
export type { SeedChoice } from './seed/resolve-seed.ts';
export { demoSamples, samplesOf, type Samples } from './seed/samples.ts';
export { seedNames, type SeedName } from './seed/seed-name.ts';
export type { SeedData, SeedItem, SeedPatron } from './seed/seed-data.ts';
export {
  startKohaDouble,
  type KohaDouble,
  type KohaDoubleOptions,
  type WebhookOptions,
} from './start-koha-double.ts';
