/** How long a value Koha takes: of its bytes in UTF-8, or of its characters (code points). */
export type FieldLimit = { readonly bytes: number } | { readonly characters: number };

interface FieldFacts {
  readonly limit: FieldLimit;
  /** What the value must be: free text, a date `YYYY-MM-DD`, or a code that is taken whole or not at all. */
  readonly kind: 'text' | 'date' | 'code';
  /** Of a choice: what Koha holds where nobody has chosen. It counts as nothing here, and is written to take a choice back. */
  readonly unchosen?: string | boolean;
  /** The values that a choice can have; any other is none. */
  readonly values?: readonly string[];
}

/** A field that may be copied, by Koha's name of it in its API. */
export interface PatronField extends FieldFacts {
  readonly name: string;
}

/** Columns of MySQL's text types; the smallest of them that Koha uses for these fields holds this much. */
const LONG = { bytes: 65_535 } as const;
const TEXT = { limit: LONG, kind: 'text' } as const;
/** `tinytext`. */
const SHORT = { limit: { bytes: 255 }, kind: 'text' } as const;

/**
 * The only patron fields that are ever read from a home library or written to a copy (docs/configuration.md lists them), by group, with
 * Koha's limits (`Koha/Schema/Result/Borrower.pm`; from 25.11 also `api/v1/swagger/definitions/patron.yaml`).
 * Whatever is not here does not exist for this service: a new Koha column is not copied by itself.
 */
const GROUPS = {
  name: {
    surname: TEXT,
    firstname: TEXT,
    preferred_name: TEXT,
    middle_name: TEXT,
    title: TEXT,
    other_name: TEXT,
    initials: TEXT,
    pronouns: TEXT,
  },
  contact: {
    email: TEXT,
    phone: TEXT,
    mobile: SHORT,
    secondary_email: TEXT,
    secondary_phone: TEXT,
    // Half a number would reach somebody else's phone.
    sms_number: { limit: { characters: 50 }, kind: 'code' },
  },
  address: {
    street_number: SHORT,
    street_type: SHORT,
    address: TEXT,
    address2: TEXT,
    city: TEXT,
    state: TEXT,
    postal_code: SHORT,
    country: TEXT,
  },
  birth: { date_of_birth: { limit: { characters: 10 }, kind: 'date' } },
  alternate: {
    altaddress_street_number: SHORT,
    altaddress_street_type: SHORT,
    altaddress_address: TEXT,
    altaddress_address2: TEXT,
    altaddress_city: TEXT,
    altaddress_state: TEXT,
    altaddress_postal_code: SHORT,
    altaddress_country: TEXT,
    altaddress_email: TEXT,
    altaddress_phone: TEXT,
  },
  gender: { gender: { limit: { characters: 1 }, kind: 'code' } },
  choices: {
    lang: { limit: { characters: 25 }, kind: 'code', unchosen: 'default' },
    autorenew_checkouts: { limit: { characters: 5 }, kind: 'code', unchosen: true, values: ['false'] },
    check_previous_checkout: {
      limit: { characters: 7 },
      kind: 'code',
      unchosen: 'inherit',
      values: ['yes', 'no'],
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FieldFacts>>>>;

export type FieldGroup = keyof typeof GROUPS;

/** The name of one of these fields. */
export type CopyField = { [G in FieldGroup]: keyof (typeof GROUPS)[G] }[FieldGroup];

/** The names of the fields by group. */
export const FIELD_GROUPS = Object.fromEntries(
  Object.entries(GROUPS).map(([group, fields]) => [group, Object.keys(fields)]),
) as unknown as { readonly [G in FieldGroup]: readonly (keyof (typeof GROUPS)[G])[] };

/** Every field that may be copied, in the order of the groups. */
export const COPY_FIELDS: readonly CopyField[] = Object.values(FIELD_GROUPS).flat();

/** The same with what Koha takes of each. */
export const PATRON_FIELDS: readonly PatronField[] = Object.values(GROUPS)
  .flatMap((fields) => Object.entries<FieldFacts>(fields))
  .map(([name, facts]) => ({ name, ...facts }));

/** Fields a lending library may set to a fixed value beside the contact fields, with Koha's limits. */
export const SETTABLE_FIELDS: Readonly<Record<string, FieldLimit>> = {
  statistics_1: { characters: 80 },
  statistics_2: { characters: 80 },
  opac_notes: LONG,
};
