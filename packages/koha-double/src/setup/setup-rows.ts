/** A branch, under the API's names. */
export interface LibraryRow {
  readonly library_id: string;
  readonly name: string;
  readonly address1: string | null;
  readonly city: string | null;
  readonly postal_code: string | null;
  readonly country: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly url: string | null;
  readonly pickup_location: boolean;
  readonly public: boolean;
}

/** A: adult, C: child, P: professional, I: organisation, S: staff, X: statistical. */
export type CategoryType = 'A' | 'C' | 'P' | 'I' | 'S' | 'X';

/** A patron category, under the API's names; `libraries` limits it to some branches (none: all). */
export interface CategoryRow {
  readonly patron_category_id: string;
  readonly name: string;
  readonly category_type: CategoryType;
  readonly enrolment_period: number | null;
  readonly enrolment_period_date: string | null;
  readonly enrolment_fee: number | null;
  readonly upper_age_limit: number | null;
  readonly lower_age_limit: number | null;
  readonly default_privacy: 'default' | 'never' | 'forever';
  readonly can_be_guarantee: boolean;
  readonly no_issues_charge: number | null;
  readonly libraries: readonly string[];
}

export interface ItemTypeRow {
  readonly item_type_id: string;
  readonly description: string;
  readonly not_for_loan: boolean;
  readonly rental_charge: number;
}

/** A patron attribute type; `category_id` and `libraries` bind it to some patrons (none: all). */
export interface AttributeTypeRow {
  readonly code: string;
  readonly description: string;
  readonly unique_id: boolean;
  readonly repeatable: boolean;
  readonly mandatory: boolean;
  readonly opac_display: boolean;
  readonly opac_editable: boolean;
  readonly staff_searchable: boolean;
  readonly is_date: boolean;
  readonly category_id: string | null;
  readonly libraries: readonly string[];
}

/** One stored circulation rule; `*` in a scope stands for all. */
export interface CirculationRuleRow {
  readonly library_id: string;
  readonly patron_category_id: string;
  readonly item_type_id: string;
  readonly rule: string;
  readonly value: string;
}
