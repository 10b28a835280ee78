import type { Double } from '../double.ts';
import { candidateIds } from '../query/candidates.ts';
import type { Condition } from '../query/condition.ts';
import type { Read } from '../query/matches.ts';
import type { Source } from '../query/source.ts';
import { isFrom } from '../release.ts';
import { patronFields, patronNameByColumn } from './patron-fields.ts';
import type { PatronRow } from './patron-row.ts';
import { canSee, hidesPatrons } from './visibility.ts';

const attributeColumns = new Map([
  ['extended_attributes.id', 'extended_attribute_id'],
  ['extended_attributes.code', 'type'],
  ['extended_attributes.attribute', 'value'],
] as const);

const laterFields = new Set(patronFields.flatMap((field) => (field.since === undefined ? [] : [field.name])));
/** Columns that only the database knows but a query may name. */
const databaseOnly = new Set(['debarred', 'debarredcomment', 'flags', 'contactname', 'dateexpiry']);

/** The patrons a user may see, as lists and look-ups read them; attributes are joined when they are embedded. */
export function patronSource(double: Double, user: PatronRow, embeds: readonly string[]): Source<PatronRow> {
  const { patrons } = double.db;
  const isHiding = hidesPatrons(double, user);
  const withAttributes = embeds.includes('extended_attributes');
  const visible = function* (rows: Iterable<PatronRow>): Iterable<PatronRow> {
    for (const row of rows) if (!isHiding || canSee(double, user, row)) yield row;
  };
  return {
    rows: () => visible(patrons.rows()),
    count: () => (isHiding ? [...visible(patrons.rows())].length : patrons.size),
    column: (name) => {
      if (name.startsWith('extended_attributes.')) {
        return withAttributes && attributeColumns.has(name as 'extended_attributes.id') ? name : undefined;
      }
      return patronColumn(name, isFrom(double.settings.release, '24.11'));
    },
    read: (row, column) => (Object.hasOwn(row.columns, column) ? row.columns[column] : row.hidden[column]),
    candidates: (condition) => {
      const ids = candidateIds(condition, (column, value) => lookUp(double, column, value));
      const byAttribute = ids ?? attributeIds(double, condition);
      if (byAttribute === null) return null;
      const found = [...byAttribute].sort((a, b) => a - b).flatMap((id) => patrons.get(id) ?? []);
      return visible(found);
    },
    ...(withAttributes ? { joined } : {}),
  };
}

function patronColumn(name: string, isLater: boolean): string | undefined {
  const canonical = patronNameByColumn.get(name) ?? name;
  if (laterFields.has(canonical) && !isLater) return undefined;
  return patronFieldSet.has(canonical) || databaseOnly.has(canonical) ? canonical : undefined;
}

const patronFieldSet = new Set(patronFields.map((field) => field.name));

function joined(row: PatronRow): readonly Read[] {
  if (row.attributes.length === 0) return [() => null];
  return row.attributes.map((attribute) => (column: string) => {
    const key = attributeColumns.get(column as 'extended_attributes.id');
    return key === undefined ? null : attribute[key];
  });
}

function lookUp(double: Double, column: string, value: unknown): ReadonlySet<number> | null {
  const { patrons } = double.db;
  if (column === 'patron_id') {
    const id = Number(value);
    return patrons.get(id) === undefined ? new Set() : new Set([id]);
  }
  if (typeof value !== 'string') return null;
  if (column === 'cardnumber') return patrons.idsWithCard(value);
  if (column === 'userid') return patrons.idsWithUserid(value);
  return column === 'surname' ? patrons.idsWithSurname(value) : null;
}

/** An `and` that names both type and value of an attribute is answered from the index of attributes. */
function attributeIds(double: Double, condition: Condition): ReadonlySet<number> | null {
  if (condition.kind !== 'and') return null;
  const wanted = new Map<string, string>();
  for (const part of condition.parts) {
    if (part.kind === 'compare' && part.comparison === '=' && typeof part.value === 'string') {
      wanted.set(part.column, part.value);
    }
  }
  const code = wanted.get('extended_attributes.code');
  const value = wanted.get('extended_attributes.attribute');
  return code === undefined || value === undefined ? null : double.db.patrons.idsWithAttribute(code, value);
}
