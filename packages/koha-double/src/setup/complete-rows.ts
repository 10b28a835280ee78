import type {
  AttributeTypeRow,
  CategoryRow,
  CirculationRuleRow,
  ItemTypeRow,
  LibraryRow,
} from './setup-rows.ts';

/** The key of a row is needed, everything else has a default: short to write in tests and seeds. */
export type Draft<Row, Key extends keyof Row> = Partial<Row> & Pick<Row, Key>;

export type LibraryDraft = Draft<LibraryRow, 'library_id'>;
export type CategoryDraft = Draft<CategoryRow, 'patron_category_id'>;
export type ItemTypeDraft = Draft<ItemTypeRow, 'item_type_id'>;
export type AttributeTypeDraft = Draft<AttributeTypeRow, 'code'>;
export type CirculationRuleDraft = Draft<CirculationRuleRow, 'rule' | 'value'>;

export function completeLibrary(draft: LibraryDraft): LibraryRow {
  return {
    name: draft.library_id,
    address1: null,
    city: null,
    postal_code: null,
    country: null,
    email: null,
    phone: null,
    url: null,
    pickup_location: true,
    public: true,
    ...draft,
  };
}

export function completeCategory(draft: CategoryDraft): CategoryRow {
  return {
    name: draft.patron_category_id,
    category_type: 'A',
    enrolment_period: 12,
    enrolment_period_date: null,
    enrolment_fee: null,
    upper_age_limit: null,
    lower_age_limit: null,
    default_privacy: 'default',
    can_be_guarantee: false,
    no_issues_charge: null,
    libraries: [],
    ...draft,
  };
}

export function completeItemType(draft: ItemTypeDraft): ItemTypeRow {
  return { description: draft.item_type_id, not_for_loan: false, rental_charge: 0, ...draft };
}

export function completeAttributeType(draft: AttributeTypeDraft): AttributeTypeRow {
  return {
    description: draft.code,
    unique_id: false,
    repeatable: false,
    mandatory: false,
    opac_display: false,
    opac_editable: false,
    staff_searchable: false,
    is_date: false,
    category_id: null,
    libraries: [],
    ...draft,
  };
}

export function completeCirculationRule(draft: CirculationRuleDraft): CirculationRuleRow {
  return { library_id: '*', patron_category_id: '*', item_type_id: '*', ...draft };
}
