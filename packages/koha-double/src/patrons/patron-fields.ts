import { reference, type JsonSchema } from '../api/schema.ts';
import { buildFieldTable, day, flag, integer, moment, text, type Field } from '../fields.ts';
import { isFrom, type Release } from '../release.ts';

const long = (name: string, column = name, extra: Partial<Field> = {}): Field =>
  text(name, column, { bytes: 65_535, ...extra });
const tiny = (name: string, column = name): Field => text(name, column, { bytes: 255 });
/** A width that the description names, too. */
const short = (name: string, column: string, chars: number, extra: Partial<Field> = {}): Field =>
  text(name, column, { chars, maxLength: chars, ...extra });
const required = { nullable: false } as const;

/** Every stored patron column that the API shows, in the order of its description. */
export const patronFields = buildFieldTable([
  integer('patron_id', 'borrowernumber', required),
  text('cardnumber', 'cardnumber', { chars: 32 }),
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
  tiny('mobile'),
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
  day('date_of_birth', 'dateofbirth'),
  short('library_id', 'branchcode', 10, required),
  short('category_id', 'categorycode', 10, required),
  day('date_enrolled', 'dateenrolled'),
  day('expiry_date', 'dateexpiry'),
  day('date_renewed', 'date_renewed', { filter: false }),
  flag('incorrect_address', 'gonenoaddress', { nullable: true }),
  flag('patron_card_lost', 'lost', { nullable: true }),
  long('staff_notes', 'borrowernotes'),
  short('relationship_type', 'relationship', 100),
  short('gender', 'sex', 1),
  text('userid', 'userid', { chars: 75 }),
  long('opac_notes', 'opacnote'),
  short('altaddress_notes', 'contactnote', 255),
  short('statistics_1', 'sort1', 80),
  short('statistics_2', 'sort2', 80),
  flag('autorenew_checkouts'),
  long('altcontact_firstname', 'altcontactfirstname'),
  long('altcontact_surname', 'altcontactsurname'),
  long('altcontact_address', 'altcontactaddress1'),
  long('altcontact_address2', 'altcontactaddress2'),
  long('altcontact_city', 'altcontactaddress3'),
  long('altcontact_state', 'altcontactstate'),
  long('altcontact_postal_code', 'altcontactzipcode'),
  long('altcontact_country', 'altcontactcountry'),
  long('altcontact_phone', 'altcontactphone'),
  short('sms_number', 'smsalertnumber', 50),
  integer('sms_provider_id'),
  integer('privacy', 'privacy', required),
  flag('privacy_guarantor_checkouts'),
  flag('privacy_guarantor_fines', 'privacy_guarantor_fines', { filter: false }),
  text('check_previous_checkout', 'checkprevcheckout', { chars: 7, ...required }),
  moment('updated_on', 'updated_on', required),
  moment('last_seen', 'lastseen'),
  text('lang', 'lang', { chars: 25, ...required }),
  integer('login_attempts'),
  long('overdrive_auth_token', 'overdrive_auth_token', { filter: false }),
  flag('anonymized', 'anonymized', { filter: false }),
  flag('protected'),
]);

const readOnly: JsonSchema = { type: 'boolean', readOnly: true };

/** The patron object of a release's description. */
export function patronDefinition(release: Release): JsonSchema {
  const isLatest = isFrom(release, '25.11');
  return {
    type: 'object',
    properties: {
      ...patronFields.properties(release),
      anonymized: readOnly,
      check_previous_checkout: { type: 'string', ...(isLatest ? { enum: ['yes', 'no', 'inherit'] } : {}) },
      ...(isFrom(release, '24.11') ? { expired: readOnly } : {}),
      restricted: readOnly,
      extended_attributes: { type: 'array', items: reference('patron_extended_attribute') },
      ...unwritableEmbeds,
    },
    additionalProperties: false,
    required: ['surname', 'library_id', 'category_id'],
  };
}

/** These embeds are in the object's description, yet none of them is a column: sending one ends in a 500. */
export const unwritableEmbeds: Readonly<Record<string, JsonSchema>> = {
  checkouts_count: { type: ['integer', 'null'] },
  overdues_count: { type: ['integer', 'null'] },
  account_balance: { type: ['number', 'null'] },
  library: { type: ['object', 'null'] },
  _strings: { type: ['object', 'null'] },
};
