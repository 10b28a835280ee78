import type { JsonSchema } from '../api/schema.ts';

type Text = string | null;
type Amount = number | null;

/** A branch, under the API's names, as far as it says nothing else. */
const library = {
  library_id: '',
  name: '',
  address1: null as Text,
  city: null as Text,
  postal_code: null as Text,
  country: null as Text,
  email: null as Text,
  phone: null as Text,
  url: null as Text,
  pickup_location: true,
  public: true,
};

/** A patron category, under the API's names; `libraries` limits it to some branches (none: all). */
const category = {
  patron_category_id: '',
  name: '',
  /** A: adult, C: child, P: professional, I: organisation, S: staff, X: statistical. */
  category_type: 'A' as 'A' | 'C' | 'P' | 'I' | 'S' | 'X',
  enrolment_period: 12 as Amount,
  enrolment_period_date: null as Text,
  enrolment_fee: null as Amount,
  upper_age_limit: null as Amount,
  lower_age_limit: null as Amount,
  default_privacy: 'default' as 'default' | 'never' | 'forever',
  can_be_guarantee: false,
  no_issues_charge: null as Amount,
  libraries: [] as readonly string[],
};

const itemType = { item_type_id: '', description: '', not_for_loan: false, rental_charge: 0 };

/** A patron attribute type; `category_id` and `libraries` bind it to some patrons (none: all). */
const attributeType = {
  code: '',
  description: '',
  unique_id: false,
  repeatable: false,
  mandatory: false,
  opac_display: false,
  opac_editable: false,
  staff_searchable: false,
  /** Shown in the box beside the checkout (`circ-menu.inc`). */
  display_checkout: false,
  is_date: false,
  category_id: null as Text,
  libraries: [] as readonly string[],
};

/** One stored circulation rule; `*` in a scope stands for all. */
const circulationRule = {
  library_id: '*',
  patron_category_id: '*',
  item_type_id: '*',
  rule: '',
  value: '',
};

type LibraryRow = Readonly<typeof library>;
export type CategoryRow = Readonly<typeof category>;
type ItemTypeRow = Readonly<typeof itemType>;
export type AttributeTypeRow = Readonly<typeof attributeType>;
export type CirculationRuleRow = Readonly<typeof circulationRule>;

/** The key of a row is needed, everything else has a default: short to write in tests and seeds. */
type Draft<Row, Key extends keyof Row> = Partial<Row> & Pick<Row, Key>;

/** Whole set-up tables. */
export interface SetupDrafts {
  readonly libraries: readonly Draft<LibraryRow, 'library_id'>[];
  readonly categories: readonly Draft<CategoryRow, 'patron_category_id'>[];
  readonly item_types: readonly Draft<ItemTypeRow, 'item_type_id'>[];
  readonly attribute_types: readonly Draft<AttributeTypeRow, 'code'>[];
  readonly circulation_rules: readonly Draft<CirculationRuleRow, 'rule' | 'value'>[];
}

/** The same as the database has them. */
export interface SetupTables {
  libraries: ReadonlyMap<string, LibraryRow>;
  categories: ReadonlyMap<string, CategoryRow>;
  itemTypes: ReadonlyMap<string, ItemTypeRow>;
  attributeTypes: ReadonlyMap<string, AttributeTypeRow>;
  circulationRules: readonly CirculationRuleRow[];
}

/** The tables that are given, complete. */
export function completeTables(drafts: Partial<SetupDrafts>): Partial<SetupTables> {
  const { libraries, categories, item_types, attribute_types, circulation_rules } = drafts;
  return {
    ...(libraries && {
      libraries: keyed(libraries, 'library_id', (key) => ({ ...library, name: key })),
    }),
    ...(categories && {
      categories: keyed(categories, 'patron_category_id', (key) => ({ ...category, name: key })),
    }),
    ...(item_types && {
      itemTypes: keyed(item_types, 'item_type_id', (key) => ({ ...itemType, description: key })),
    }),
    ...(attribute_types && {
      attributeTypes: keyed(attribute_types, 'code', (key) => ({ ...attributeType, description: key })),
    }),
    ...(circulation_rules && {
      circulationRules: circulation_rules.map((draft) => ({ ...circulationRule, ...draft })),
    }),
  };
}

/** By their key; who has no name is called by it. */
function keyed<Row extends object, Key extends keyof Row>(
  drafts: readonly Draft<Row, Key>[],
  key: Key,
  initial: (key: string) => Row,
): ReadonlyMap<string, Row> {
  return new Map(drafts.map((draft) => [String(draft[key]), { ...initial(String(draft[key])), ...draft }]));
}

/** A category of which only the code is known. */
export const namedCategory = (code: string): CategoryRow => ({
  ...category,
  patron_category_id: code,
  name: code,
});

interface RuleScope {
  readonly library_id: string;
  readonly patron_category_id: string;
  readonly item_type_id: string;
}

/**
 * Koha's order of precedence: library before category before item type, the exact one before `*`.
 * Returns the row in force, or undefined where no rule is defined.
 */
export function effectiveRule(
  rules: readonly CirculationRuleRow[],
  name: string,
  scope: RuleScope,
): CirculationRuleRow | undefined {
  const ranked = rules
    .filter(({ rule }) => rule === name)
    .map((rule) => ({ rule, rank: rankOf(rule, scope) }))
    .filter(({ rank }) => rank >= 0);
  return ranked.toSorted((a, b) => b.rank - a.rank)[0]?.rule;
}

function rankOf(rule: CirculationRuleRow, scope: RuleScope): number {
  let rank = 0;
  for (const name of ['library_id', 'patron_category_id', 'item_type_id'] as const) {
    rank *= 2;
    if (rule[name] === '*') continue;
    if (rule[name] !== scope[name]) return -1;
    rank += 1;
  }
  return rank;
}

/** Properties of one schema: `text`, `number` or `boolean`, with a question mark where null may be. */
const all = (type: string, names: string): Record<string, JsonSchema> =>
  Object.fromEntries(
    names.split(' ').map((name) => [name, { type: type.endsWith('?') ? [type.slice(0, -1), 'null'] : type }]),
  );

/** Texts of a library, by each of which a list of libraries can be filtered. */
export const libraryTexts =
  'address1 address2 address3 postal_code city state country phone fax email reply_to_email return_path_email url ip notes';

/** The set-up objects of Koha's description; they are the same in all releases shown. */
export const setupDefinitions: Readonly<Record<string, JsonSchema>> = {
  library: {
    type: 'object',
    properties: {
      library_id: { type: 'string', maxLength: 10, minLength: 1 },
      ...all('string', 'name'),
      ...all('string?', `illemail geolocation marc_org_code ${libraryTexts}`),
      ...all('boolean', 'pickup_location public'),
    },
    additionalProperties: false,
    required: ['library_id', 'name'],
  },
  /** Koha declares `lower_age_limit` a boolean, which a real limit does not fit (`api/v1/swagger/definitions/patron_category.yaml`). */
  patron_category: {
    type: 'object',
    properties: {
      ...all(
        'string',
        'patron_category_id category_type block_expired_patron_opac_actions check_prev_checkout',
      ),
      ...all('string?', 'name'),
      ...all('number?', 'enrolment_period password_expiry_days upper_age_limit enrolment_fee reserve_fee'),
      ...all('number?', 'min_password_length no_issues_charge no_issues_charge_guarantees'),
      ...all('number?', 'no_issues_charge_guarantors_with_guarantees'),
      ...all('boolean?', 'lower_age_limit overdue_notice_required exclude_from_local_holds_priority'),
      ...all('boolean?', 'reset_password change_password require_strong_password'),
      ...all('boolean', 'hide_lost_items can_place_ill_in_opac can_be_guarantee enforce_expiry_notice'),
      ...all('boolean', 'force_password_reset_when_set_by_staff'),
      enrolment_period_date: { type: ['string', 'null'], format: 'date' },
      default_privacy: { type: 'string', enum: ['default', 'never', 'forever'] },
    },
    additionalProperties: false,
    required: ['patron_category_id'],
  },
  circulation_rules: {
    type: 'object',
    properties: {
      context: { type: 'object', properties: all('string', 'patron_category_id library_id item_type_id') },
    },
    additionalProperties: true,
    required: ['context'],
  },
};
