/** The contact fields that may ever be copied, by group, in Koha's names (docs/configuration.md lists them). */
export const FIELD_GROUPS = {
  name: [
    'surname',
    'firstname',
    'preferred_name',
    'middle_name',
    'title',
    'other_name',
    'initials',
    'pronouns',
  ],
  contact: ['email', 'phone', 'mobile', 'secondary_email', 'secondary_phone', 'sms_number'],
  address: ['street_number', 'street_type', 'address', 'address2', 'city', 'state', 'postal_code', 'country'],
  birth: ['date_of_birth'],
  alternate: [
    'altaddress_street_number',
    'altaddress_street_type',
    'altaddress_address',
    'altaddress_address2',
    'altaddress_city',
    'altaddress_state',
    'altaddress_postal_code',
    'altaddress_country',
    'altaddress_email',
    'altaddress_phone',
  ],
  gender: ['gender'],
} as const;

export type FieldGroup = keyof typeof FIELD_GROUPS;

/** One field of the groups above. */
export type CopyField = (typeof FIELD_GROUPS)[FieldGroup][number];

/** Every field that may be copied, in the order of the groups. */
export const COPY_FIELDS: readonly CopyField[] = Object.values(FIELD_GROUPS).flat();

/** Fields that `copy.set` may fix beside those of the groups. */
export const SET_ONLY_FIELDS = ['statistics_1', 'statistics_2', 'lang', 'opac_notes'] as const;
