import type { Release } from '../release.ts';

export type FieldKind = 'text' | 'date' | 'date-time' | 'boolean' | 'integer';

/** One column of a patron as the API and the database know it. Widths: `chars` or `bytes` of the column. */
export interface PatronField {
  readonly name: string;
  readonly column: string;
  readonly kind: FieldKind;
  readonly nullable: boolean;
  readonly chars?: number;
  readonly bytes?: number;
  /** `maxLength` of the description, from 25.11 on. */
  readonly maxLength?: number;
  readonly since?: Release;
  readonly filter?: false;
}

type Extra = Partial<PatronField>;

const textBytes = 65_535;

function field(kind: FieldKind, nullable: boolean, name: string, column: string, extra: Extra): PatronField {
  return { name, column, kind, nullable, ...extra };
}

const long = (name: string, column = name, extra: Extra = {}): PatronField =>
  field('text', true, name, column, { bytes: textBytes, ...extra });
const tiny = (name: string, column: string): PatronField => field('text', true, name, column, { bytes: 255 });
const short = (name: string, column: string, chars: number, extra: Extra = {}): PatronField =>
  field('text', true, name, column, { chars, ...extra });
const date = (name: string, column: string, extra: Extra = {}): PatronField =>
  field('date', true, name, column, extra);
const flag = (name: string, column: string, nullable = false): PatronField =>
  field('boolean', nullable, name, column, {});

/** Every stored patron column that the API shows, in the order of its description. */
export const patronFields: readonly PatronField[] = [
  field('integer', false, 'patron_id', 'borrowernumber', {}),
  short('cardnumber', 'cardnumber', 32),
  long('surname'),
  long('firstname'),
  long('preferred_name', 'preferred_name', { since: '24.11' }),
  long('middle_name', 'middle_name', { filter: false }),
  long('title'),
  long('other_name', 'othernames'),
  long('initials'),
  long('pronouns', 'pronouns', { filter: false }),
  tiny('street_number', 'streetnumber'),
  tiny('street_type', 'streettype'),
  long('address'),
  long('address2'),
  long('city'),
  long('state'),
  tiny('postal_code', 'zipcode'),
  long('country'),
  long('email'),
  long('phone'),
  tiny('mobile', 'mobile'),
  long('fax'),
  long('secondary_email', 'emailpro'),
  long('secondary_phone', 'phonepro'),
  tiny('altaddress_street_number', 'B_streetnumber'),
  tiny('altaddress_street_type', 'B_streettype'),
  long('altaddress_address', 'B_address'),
  long('altaddress_address2', 'B_address2'),
  long('altaddress_city', 'B_city'),
  long('altaddress_state', 'B_state'),
  tiny('altaddress_postal_code', 'B_zipcode'),
  long('altaddress_country', 'B_country'),
  long('altaddress_email', 'B_email'),
  long('altaddress_phone', 'B_phone'),
  date('date_of_birth', 'dateofbirth'),
  field('text', false, 'library_id', 'branchcode', { chars: 10, maxLength: 10 }),
  field('text', false, 'category_id', 'categorycode', { chars: 10, maxLength: 10 }),
  date('date_enrolled', 'dateenrolled'),
  date('expiry_date', 'dateexpiry'),
  date('date_renewed', 'date_renewed', { filter: false }),
  flag('incorrect_address', 'gonenoaddress', true),
  flag('patron_card_lost', 'lost', true),
  long('staff_notes', 'borrowernotes'),
  short('relationship_type', 'relationship', 100, { maxLength: 100 }),
  short('gender', 'sex', 1, { maxLength: 1 }),
  short('userid', 'userid', 75),
  long('opac_notes', 'opacnote'),
  short('altaddress_notes', 'contactnote', 255, { maxLength: 255 }),
  short('statistics_1', 'sort1', 80, { maxLength: 80 }),
  short('statistics_2', 'sort2', 80, { maxLength: 80 }),
  flag('autorenew_checkouts', 'autorenew_checkouts'),
  long('altcontact_firstname', 'altcontactfirstname'),
  long('altcontact_surname', 'altcontactsurname'),
  long('altcontact_address', 'altcontactaddress1'),
  long('altcontact_address2', 'altcontactaddress2'),
  long('altcontact_city', 'altcontactaddress3'),
  long('altcontact_state', 'altcontactstate'),
  long('altcontact_postal_code', 'altcontactzipcode'),
  long('altcontact_country', 'altcontactcountry'),
  long('altcontact_phone', 'altcontactphone'),
  short('sms_number', 'smsalertnumber', 50, { maxLength: 50 }),
  field('integer', true, 'sms_provider_id', 'sms_provider_id', {}),
  field('integer', false, 'privacy', 'privacy', {}),
  flag('privacy_guarantor_checkouts', 'privacy_guarantor_checkouts'),
  { ...flag('privacy_guarantor_fines', 'privacy_guarantor_fines'), filter: false },
  field('text', false, 'check_previous_checkout', 'checkprevcheckout', { chars: 7 }),
  field('date-time', false, 'updated_on', 'updated_on', {}),
  field('date-time', true, 'last_seen', 'lastseen', {}),
  field('text', false, 'lang', 'lang', { chars: 25 }),
  field('integer', true, 'login_attempts', 'login_attempts', {}),
  long('overdrive_auth_token', 'overdrive_auth_token', { filter: false }),
  { ...flag('anonymized', 'anonymized'), filter: false },
  flag('protected', 'protected'),
];

export const patronFieldNames: ReadonlySet<string> = new Set(patronFields.map((known) => known.name));

/** Database column -> API name, for the columns that the API renames. */
export const patronNameByColumn: ReadonlyMap<string, string> = new Map(
  patronFields.map((known) => [known.column, known.name]),
);
