/** Koha's system preferences that the double honours or reports, with Koha's defaults unless a comment says why not. */
export const defaultPreferences = {
  AccessControlAllowOrigin: '',
  AgeRestrictionOverride: '0',
  AllFinesNeedOverride: '1',
  AllowFineOverride: '0',
  AllowMultipleIssuesOnABiblio: '1',
  AllowNotForLoanOverride: '0',
  AllowReturnToBranch: 'anywhere',
  AllowTooManyOverride: '1',
  AnonymousPatron: '0',
  AutoEmailNewUser: '0',
  AutoReturnCheckedOutItems: '0',
  AutoSwitchPatron: '0',
  BorrowerMandatoryField: 'surname|cardnumber|categorycode',
  CardnumberLength: '',
  CheckPrevCheckout: 'hardno',
  ChildNeedsGuarantor: '0',
  CircConfirmItemParts: '0',
  DefaultPatronSearchMethod: 'starts_with',
  EmailPatronRegistrations: '0',
  EnhancedMessagingPreferences: '1',
  ExtendedPatronAttributes: '1',
  HomeOrHoldingBranch: 'holdingbranch',
  IndependentBranches: '0',
  IssueLostItem: 'alert',
  OverduesBlockCirc: 'noblock',
  PatronDuplicateMatchingAddFields: 'surname|firstname|dateofbirth',
  RecordStaffUserOnCheckout: '0',
  RentalFeesCheckoutConfirmation: '0',
  SelfCheckoutByLogin: '0',
  TrackLastPatronActivityTriggers: '',
  // A consortium member has the key pairs on; Koha's own default is off.
  RESTOAuth2ClientCredentials: '1',
  RESTBasicAuth: '0',
  RESTPublicAPI: '1',
  RESTdefaultPageSize: '20',
  WebBasedSelfCheck: '1',
  autoMemberNum: '0',
  itemBarcodeInputFilter: '',
  noissuescharge: '5',
  uppercasesurnames: '0',
} as const;

export type PreferenceName = keyof typeof defaultPreferences;
export type Preferences = Record<PreferenceName, string>;

export function isPreferenceName(name: string): name is PreferenceName {
  return Object.hasOwn(defaultPreferences, name);
}
