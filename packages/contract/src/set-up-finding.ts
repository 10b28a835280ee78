/**
 * What a library's set-up can be found to lack, in a few words; what exactly it is at a library, and what to do, says `passport doctor`.
 * The codes are stable: `--ignore` and scripts use them.
 */
export const SET_UP_FINDINGS = {
  unreachable: 'its Koha does not answer',
  redirect: 'the address of its Koha leads elsewhere',
  not_koha: 'no Koha answers at its address',
  no_answer: 'its Koha gives no usable answer',
  query_refused: 'its Koha refuses a request of the service',
  proxy_page: "a page that is not Koha's comes instead of an answer",
  koha_old: 'its Koha is older than those that are supported',
  koha_new: 'its Koha is newer than those that are supported',
  certificate: 'its certificate has expired, is about to, or is not trusted',
  credentials_refused: 'its Koha refuses the API key',
  oauth_off: 'its Koha issues no tokens for API keys',
  permission_missing: 'the API user lacks a permission',
  patrons_hidden: 'the API user does not see all patrons',
  branch_refused: 'the API user may not act for a branch',
  branch_unknown: 'its Koha lacks the branch of copies',
  category_unknown: 'its Koha lacks a patron category of copies',
  category_unmapped: 'patrons of a home category get no category there',
  category_statistical: 'copies get a statistical category, which cannot borrow',
  category_needs_guarantor: 'patrons of the category of copies need a guarantor',
  enrolment_fee: 'copies are charged an enrolment fee',
  no_circulation_rule: 'no circulation rule applies to copies',
  circulation_rule_zero: 'the circulation rules let copies borrow nothing',
  extended_attributes_off: 'patron attributes are disabled in its Koha',
  attribute_type_missing: 'its Koha lacks a patron attribute type',
  attribute_type_unique: 'an attribute type is unique that must not be',
  attribute_type_not_unique: 'an attribute type is not unique',
  attribute_type_mandatory: 'an attribute that copies do not get is mandatory',
  attribute_type_in_opac: 'patrons see or change an attribute of copies in the OPAC',
  plugin_missing: 'the plugin is not installed',
  plugin_disabled: 'the plugin is disabled',
  plugin_old: 'the plugin is too old',
  reports_off: 'the desk gets no reports',
  plugin_settings: 'the plugin is not fully configured',
  plugin_user: "the plugin takes another user for the service's",
  plugin_library: 'the plugin reports as another library',
  plugin_secret: 'the plugin has another webhook secret',
  plugin_receiver: 'the plugin does not reach the receiver, or is refused there',
  plugin_tables: "tables of the plugin's are missing",
  sip_branch: 'a SIP account has an institution that is no branch',
  plugin_finding: 'the plugin finds something that this version does not know',
  plugin_off: 'scans are not reported, by a setting of the plugin',
  plugin_cards: "the plugin's card patterns hide cards of a partner",
  welcome_mail: 'every copy gets a welcome mail',
  clock_off: 'the clock of its Koha is off',
  few_workers: 'its Koha has too few web workers',
  same_koha: 'two libraries have the same Koha',
  configuration: 'the configuration makes one wonder',
} as const;
export type SetUpFindingCode = keyof typeof SET_UP_FINDINGS;

/** What was found in one line: `its Koha lacks a patron category of copies (PT)`. */
export const setUpFindingText = (code: SetUpFindingCode, name: string | null): string =>
  `${SET_UP_FINDINGS[code]}${name === null ? '' : ` (${name})`}`;

/** Whether a word is the code of such a finding. */
export const isSetUpFinding = (code: string): code is SetUpFindingCode =>
  Object.hasOwn(SET_UP_FINDINGS, code);

const SECTIONS: { readonly [code in SetUpFindingCode]?: string } = {
  unreachable: 'passportlibraryopen',
  no_answer: 'passportlibraryopen',
  certificate: 'certificate-about-to-expire',
  few_workers: 'a-library-at-its-limit',
};

/** The section of the runbook about it. */
export const setUpSection = (code: SetUpFindingCode): string => SECTIONS[code] ?? 'passportsetupfault';
