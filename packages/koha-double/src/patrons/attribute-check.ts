import type { Double } from '../double.ts';
import { isDate } from '../api/check-value.ts';
import { collate } from '../collation.ts';

export interface AttributeValue {
  readonly type: string;
  readonly value: string | null;
}

/** Why Koha refuses a set of attributes. */
export type AttributeFault =
  | { readonly kind: 'unknown_type'; readonly type: string }
  | { readonly kind: 'not_repeatable' | 'not_unique'; readonly type: string; readonly value: string }
  | { readonly kind: 'mandatory_missing'; readonly type: string }
  | { readonly kind: 'unstorable' };

const valueChars = 255;

/** The first attribute, in order, that Koha would refuse; `others` are those the patron keeps. */
export function attributeFault(
  double: Double,
  patronId: number | null,
  values: readonly AttributeValue[],
  others: readonly AttributeValue[] = [],
): AttributeFault | null {
  const seen = new Set(others.map((one) => collate(one.type)));
  for (const { type, value } of values) {
    const known = findType(double, type);
    if (known === undefined) return { kind: 'unknown_type', type };
    const text = value ?? '';
    if (!known.repeatable && seen.has(collate(type))) return { kind: 'not_repeatable', type, value: text };
    seen.add(collate(type));
    if (known.unique_id && isTaken(double, patronId, type, text)) {
      return { kind: 'not_unique', type, value: text };
    }
    const isTooLong = double.settings.strict_sql_modes && [...text].length > valueChars;
    if ((known.is_date && !isDate(text)) || isTooLong) return { kind: 'unstorable' };
  }
  return null;
}

/** The first mandatory type that is missing; types bound to libraries are never mandatory for the API. */
export function missingMandatory(
  double: Double,
  categoryId: string,
  values: readonly AttributeValue[],
): AttributeFault | null {
  const given = new Set(values.map((one) => collate(one.type)));
  for (const type of double.db.attributeTypes.values()) {
    const applies = type.category_id === null || type.category_id === categoryId;
    if (type.mandatory && type.libraries.length === 0 && applies && !given.has(collate(type.code))) {
      return { kind: 'mandatory_missing', type: type.code };
    }
  }
  return null;
}

/** The first value whose type Koha does not know; `PUT .../extended_attributes` looks at all types first. */
export function unknownType(double: Double, values: readonly AttributeValue[]): AttributeFault | null {
  const found = values.find((one) => findType(double, one.type) === undefined);
  return found === undefined ? null : { kind: 'unknown_type', type: found.type };
}

function findType(
  double: Double,
  code: string,
): { repeatable: boolean; unique_id: boolean; is_date: boolean } | undefined {
  const exact = double.db.attributeTypes.get(code);
  if (exact !== undefined) return exact;
  const wanted = collate(code);
  return [...double.db.attributeTypes.values()].find((type) => collate(type.code) === wanted);
}

function isTaken(double: Double, patronId: number | null, type: string, value: string): boolean {
  for (const id of double.db.patrons.idsWithAttribute(type, value)) if (id !== patronId) return true;
  return false;
}
