/** How long a value Koha takes: of its bytes in UTF-8, or of its characters (code points). */
export type FieldLimit = { readonly bytes: number } | { readonly characters: number };

export interface PatronField {
  /** Koha's name of the field in its API. */
  readonly name: string;
  readonly limit: FieldLimit;
  /** What the value must be: free text, a date `YYYY-MM-DD`, or a code that is taken whole or not at all. */
  readonly kind: 'text' | 'date' | 'code';
}

/** Columns of MySQL's text types; the smallest of them that Koha uses for these fields holds this much. */
const TEXT: FieldLimit = { bytes: 65_535 };
/** `tinytext`. */
const SHORT: FieldLimit = { bytes: 255 };

const text = (limit: FieldLimit, names: readonly string[]): PatronField[] =>
  names.map((name) => ({ name, limit, kind: 'text' }));

/**
 * The only patron fields that are ever read from a home library or written to a copy (docs/configuration.md lists what may be
 * copied), with Koha's limits (`Koha/Schema/Result/Borrower.pm`; from 25.11 also `api/v1/swagger/definitions/patron.yaml`).
 * Whatever is not here does not exist for this service: a new Koha column is not copied by itself.
 */
export const PATRON_FIELDS: readonly PatronField[] = [
  ...text(TEXT, [
    'surname',
    'firstname',
    'preferred_name',
    'middle_name',
    'title',
    'other_name',
    'initials',
    'pronouns',
  ]),
  ...text(TEXT, ['email', 'phone', 'secondary_email', 'secondary_phone']),
  ...text(SHORT, ['mobile']),
  // Half a number would reach somebody else's phone.
  { name: 'sms_number', limit: { characters: 50 }, kind: 'code' },
  ...text(SHORT, ['street_number', 'street_type', 'postal_code']),
  ...text(TEXT, ['address', 'address2', 'city', 'state', 'country']),
  { name: 'date_of_birth', limit: { characters: 10 }, kind: 'date' },
  ...text(SHORT, ['altaddress_street_number', 'altaddress_street_type', 'altaddress_postal_code']),
  ...text(TEXT, [
    'altaddress_address',
    'altaddress_address2',
    'altaddress_city',
    'altaddress_state',
    'altaddress_country',
    'altaddress_email',
    'altaddress_phone',
  ]),
  { name: 'gender', limit: { characters: 1 }, kind: 'code' },
];

/** Fields a lending library may set to a fixed value beside the contact fields, with Koha's limits. */
export const SETTABLE_FIELDS: Readonly<Record<string, FieldLimit>> = {
  statistics_1: { characters: 80 },
  statistics_2: { characters: 80 },
  lang: { characters: 25 },
  opac_notes: TEXT,
};

/** Koha's `cardnumber` column. */
export const CARD_NUMBER_LIMIT = { characters: 32 } as const satisfies FieldLimit;
/** Codes of branches and patron categories. */
export const CODE_LIMIT = { characters: 10 } as const satisfies FieldLimit;
/** Code column of patron attribute types. */
export const ATTRIBUTE_TYPE_LIMIT = { characters: 64 } as const satisfies FieldLimit;
