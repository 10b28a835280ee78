import type { JsonSchema } from '../json-schema.ts';

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const numberOrNull: JsonSchema = { type: ['number', 'null'] };
const flag: JsonSchema = { type: 'boolean' };
const flagOrNull: JsonSchema = { type: ['boolean', 'null'] };

const same = (names: readonly string[], schema: JsonSchema): Record<string, JsonSchema> =>
  Object.fromEntries(names.map((name) => [name, schema]));

/** Texts of a library, by each of which a list of libraries can be filtered. */
export const libraryTexts = [
  'address1',
  'address2',
  'address3',
  'postal_code',
  'city',
  'state',
  'country',
  'phone',
  'fax',
  'email',
  'reply_to_email',
  'return_path_email',
  'url',
  'ip',
  'notes',
] as const;

const library: JsonSchema = {
  type: 'object',
  properties: {
    library_id: { type: 'string', maxLength: 10, minLength: 1 },
    name: text,
    ...same(['illemail', 'geolocation', ...libraryTexts], textOrNull),
    marc_org_code: textOrNull,
    pickup_location: flag,
    public: flag,
  },
  additionalProperties: false,
  required: ['library_id', 'name'],
};

/** Koha declares `lower_age_limit` a boolean, which a real limit does not fit (`api/v1/swagger/definitions/patron_category.yaml`). */
const category: JsonSchema = {
  type: 'object',
  properties: {
    patron_category_id: text,
    name: textOrNull,
    enrolment_period: numberOrNull,
    enrolment_period_date: { type: ['string', 'null'], format: 'date' },
    password_expiry_days: numberOrNull,
    upper_age_limit: numberOrNull,
    lower_age_limit: flagOrNull,
    enrolment_fee: numberOrNull,
    overdue_notice_required: flagOrNull,
    reserve_fee: numberOrNull,
    hide_lost_items: flag,
    category_type: text,
    block_expired_patron_opac_actions: text,
    default_privacy: { type: 'string', enum: ['default', 'never', 'forever'] },
    check_prev_checkout: text,
    can_place_ill_in_opac: flag,
    can_be_guarantee: flag,
    ...same(['reset_password', 'change_password', 'require_strong_password'], flagOrNull),
    min_password_length: numberOrNull,
    exclude_from_local_holds_priority: flagOrNull,
    no_issues_charge: numberOrNull,
    no_issues_charge_guarantees: numberOrNull,
    no_issues_charge_guarantors_with_guarantees: numberOrNull,
    force_password_reset_when_set_by_staff: flag,
    enforce_expiry_notice: flag,
  },
  additionalProperties: false,
  required: ['patron_category_id'],
};

const rules: JsonSchema = {
  type: 'object',
  properties: {
    context: {
      type: 'object',
      properties: { patron_category_id: text, library_id: text, item_type_id: text },
    },
  },
  additionalProperties: true,
  required: ['context'],
};

const ruleKind: JsonSchema = {
  type: 'object',
  properties: {
    scope: { type: 'array', items: { type: 'string', enum: ['branchcode', 'categorycode', 'itemtype'] } },
  },
  additionalProperties: true,
  required: ['scope'],
};

/** The set-up objects of Koha's description; they are the same in all releases shown. */
export function setupDefinitions(): Readonly<Record<string, JsonSchema>> {
  return { library, patron_category: category, circulation_rules: rules, 'circ-rule-kind': ruleKind };
}
