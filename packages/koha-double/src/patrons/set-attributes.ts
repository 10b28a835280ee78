import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import {
  attributeFault,
  missingMandatory,
  unknownType,
  type AttributeFault,
  type AttributeValue,
} from './attribute-check.ts';
import { cutText } from './cut-text.ts';
import type { AttributeRow } from './patron-row.ts';

/** Whose attributes are set: nobody's yet for a create. */
export interface AttributeOwner {
  readonly patronId: number | null;
  /** Decides which types are mandatory. A change of category comes later than this. */
  readonly categoryId: string;
  readonly attributes: readonly AttributeRow[];
}

/** The width of an attribute's value in the database. */
const width = { chars: 255 } as const;

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
  const changed = isLater ? values.filter((one) => isChanged(owner, values, one.type)) : values;
  return (
    (isLater ? unknownType(double, values) : null) ??
    attributeFault(double, owner.patronId, changed) ??
    missingMandatory(double, owner.categoryId, values)
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
  const of = (list: readonly AttributeValue[]): string[] =>
    list.filter((one) => collate(one.type) === collate(type)).map((one) => one.value ?? '');
  const [before, after] = [of(owner.attributes).sort(byText), of(values).sort(byText)];
  return before.length !== after.length || before.some((value, index) => value !== after[index]);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
