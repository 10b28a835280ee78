import { crash, problem, type Answer } from '../answer.ts';
import { isDate } from '../api/schema.ts';
import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { cutText, overflows } from '../fields.ts';
import { isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import type { AttributeTypeRow } from '../setup/setup-rows.ts';
import type { AttributeRow, PatronRow } from './patron-table.ts';

export interface AttributeValue {
  readonly type: string;
  readonly value: string | null;
}

/** Why Koha refuses a set of attributes. */
export type AttributeFault =
  | { readonly kind: 'unknown_type' | 'mandatory_missing'; readonly type: string }
  | { readonly kind: 'not_repeatable' | 'not_unique'; readonly type: string; readonly value: string }
  | { readonly kind: 'unstorable' };

/** Whose attributes are set: nobody's yet for a create. The category of before a change decides which types are mandatory. */
interface AttributeOwner {
  readonly patronId: number | null;
  readonly categoryId: string;
  readonly attributes: readonly AttributeRow[];
}

export const ownerOf = (row: PatronRow): AttributeOwner => ({
  patronId: row.patron_id,
  categoryId: row.columns.category_id,
  attributes: row.attributes,
});

/** An attribute of a body. */
export function attributeValueOf(sent: unknown): AttributeValue {
  const { type, value } = isRecord(sent) ? sent : {};
  return { type: String(type), value: typeof value === 'string' ? value : null };
}

/** The width of an attribute's value in the database. */
const width = { chars: 255 } as const;

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
    const owners = known.unique_id ? [...double.db.patrons.idsWithAttribute(type, text)] : [];
    if (owners.some((id) => id !== patronId)) return { kind: 'not_unique', type, value: text };
    const isTooLong = double.settings.strict_sql_modes && overflows(text, width);
    if ((known.is_date && !isDate(text)) || isTooLong) return { kind: 'unstorable' };
  }
  return null;
}

/** The first mandatory type that is missing; types bound to libraries are never mandatory for the API. */
function missingMandatory(
  { db }: Double,
  categoryId: string,
  values: readonly AttributeValue[],
): AttributeFault | null {
  const given = new Set(values.map((one) => collate(one.type)));
  const missing = [...db.attributeTypes.values()].find(
    ({ code, mandatory, libraries, category_id: category }) =>
      mandatory &&
      libraries.length === 0 &&
      [null, categoryId].includes(category) &&
      !given.has(collate(code)),
  );
  return missing === undefined ? null : { kind: 'mandatory_missing', type: missing.code };
}

function findType({ db }: Double, code: string): AttributeTypeRow | undefined {
  const wanted = collate(code);
  return (
    db.attributeTypes.get(code) ??
    [...db.attributeTypes.values()].find((type) => collate(type.code) === wanted)
  );
}

/**
 * Why the setter of `Koha/Patron.pm`, `extended_attributes`, refuses a set. From 25.05 on it looks at all types first
 * and leaves the types alone whose values are the same; before, the values are looked at one by one.
 */
export function setterFault(
  double: Double,
  owner: AttributeOwner,
  values: readonly AttributeValue[],
): AttributeFault | null {
  const isLater = isFrom(double.settings.release, '25.05');
  const unknown = values.find((one) => isLater && findType(double, one.type) === undefined);
  if (unknown !== undefined) return { kind: 'unknown_type', type: unknown.type };
  const changed = isLater ? values.filter((one) => isChanged(owner, values, one.type)) : values;
  return (
    attributeFault(double, owner.patronId, changed) ?? missingMandatory(double, owner.categoryId, values)
  );
}

/** The rows that the setter leaves behind. */
export function setAttributes(
  double: Double,
  owner: AttributeOwner,
  values: readonly AttributeValue[],
): readonly AttributeRow[] {
  const keepsIds = isFrom(double.settings.release, '25.05');
  const kept = keepsIds ? owner.attributes.filter((row) => !isChanged(owner, values, row.type)) : [];
  const added = values
    .filter((one) => !keepsIds || isChanged(owner, values, one.type))
    .map((one) => newAttribute(double, one));
  return [...kept, ...added];
}

export function newAttribute(double: Double, { type, value }: AttributeValue): AttributeRow {
  const stored = value === null ? null : cutText(value, width);
  return { extended_attribute_id: double.db.patrons.takeAttributeId(), type, value: stored };
}

function isChanged(owner: AttributeOwner, values: readonly AttributeValue[], type: string): boolean {
  const of = (list: readonly AttributeValue[]): string =>
    JSON.stringify(
      list
        .filter((one) => collate(one.type) === collate(type))
        .map((one) => one.value ?? '')
        .sort(),
    );
  return of(owner.attributes) !== of(values);
}

const faults = {
  unknown_type: ['invalid_attribute_type', 'Tried to use an invalid attribute type.'],
  not_repeatable: ['non_repeatable_attribute', 'Tried to add more than one non-repeatable attributes.'],
  not_unique: ['attribute_not_unique', 'Your action breaks a unique constraint on the attribute.'],
  mandatory_missing: ['missing_mandatory_attribute', 'Missing mandatory extended attribute'],
} as const;

/**
 * A refused attribute: always 400 in the body of `/patrons`, with a code from 24.05 on. On
 * `/patrons/{patron_id}/extended_attributes` 409 for what clashes, and never a code.
 */
export function attributeAnswer(
  { settings }: Double,
  fault: AttributeFault,
  where: 'inline' | 'own route',
): Answer {
  if (fault.kind === 'unstorable') return crash();
  const [error_code, text] = faults[fault.kind];
  const type = `type=${fault.type}`;
  const message = 'value' in fault ? `${text} ${type} value=${fault.value}` : `${text} ${type}`;
  const error = fault.kind === 'mandatory_missing' ? `${text} (${type})` : message;
  if (where === 'own route') return problem('value' in fault ? 409 : 400, error);
  return problem(400, error, isFrom(settings.release, '24.05') ? { error_code } : {});
}
