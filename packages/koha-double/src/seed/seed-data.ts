import type { Preferences } from '../preferences.ts';
import type { Columns } from '../record.ts';
import type {
  AttributeTypeDraft,
  CategoryDraft,
  CirculationRuleDraft,
  ItemTypeDraft,
  LibraryDraft,
} from '../setup/complete-rows.ts';

/** A patron to seed: any column, API or database name, plus `extended_attributes`, `permissions`, `api_keys`. */
export type SeedPatron = Columns & { readonly cardnumber: string };
export type SeedItem = Columns & { readonly external_id: string };

/** Everything that a fresh Koha holds. The API user is a patron like any other. */
export interface SeedData {
  readonly libraries: readonly LibraryDraft[];
  readonly categories: readonly CategoryDraft[];
  readonly itemTypes: readonly ItemTypeDraft[];
  readonly attributeTypes: readonly AttributeTypeDraft[];
  readonly circulationRules: readonly CirculationRuleDraft[];
  readonly patrons: readonly SeedPatron[];
  readonly items: readonly SeedItem[];
  readonly preferences?: Partial<Preferences>;
}
