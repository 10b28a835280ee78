import type { Double } from '../double.ts';
import type { PreferenceName } from '../preferences.ts';
import type { Release } from '../release.ts';

/** A version of each release, as Koha calls itself. */
export const kohaVersions: Readonly<Record<Release, string>> = {
  '23.11': '23.11.11.000',
  '24.05': '24.05.09.000',
  '24.11': '24.11.05.000',
  '25.05': '25.05.06.000',
  '25.11': '25.11.01.000',
  '26.05': '26.05.01.000',
};

/** What decides how copies are made and how cards are found; the plugin reports the same ones. */
const reported: readonly PreferenceName[] = [
  'AutoEmailNewUser',
  'autoMemberNum',
  'AutoSwitchPatron',
  'CardnumberLength',
  'ChildNeedsGuarantor',
  'EmailPatronRegistrations',
  'EnhancedMessagingPreferences',
  'ExtendedPatronAttributes',
  'IndependentBranches',
  'itemBarcodeInputFilter',
  'PatronDuplicateMatchingAddFields',
  'RESTBasicAuth',
  'RESTOAuth2ClientCredentials',
  'SelfCheckoutByLogin',
  'TrackLastPatronActivityTriggers',
  'uppercasesurnames',
  'WebBasedSelfCheck',
];

/** What the plugin reports to the service's doctor and Koha's own API does not. */
export function about(double: Double): unknown {
  const { settings, db, clock } = double;
  return {
    version: settings.plugin_version,
    koha_version: kohaVersions[settings.release],
    time: clock.timestamp(),
    attribute_types: [...db.attributeTypes.values()].map((type) => ({
      code: type.code,
      unique_id: type.unique_id,
      repeatable: type.repeatable,
      // Koha's API requires a mandatory type only where it belongs to no libraries.
      mandatory: type.mandatory && type.libraries.length === 0,
      opac_display: type.opac_display,
      opac_editable: type.opac_editable,
      staff_searchable: type.staff_searchable,
      category_id: type.category_id,
    })),
    preferences: Object.fromEntries(reported.map((name) => [name, settings.preferences[name]])),
    plack_workers: settings.plack_workers,
  };
}
