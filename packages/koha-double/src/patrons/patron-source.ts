import { isDate } from '../api/check-value.ts';
import type { Double } from '../double.ts';
import { candidateIds } from '../query/candidates.ts';
import type { Condition } from '../query/condition.ts';
import type { Source } from '../query/source.ts';
import { isFrom } from '../release.ts';
import { attributeColumn, joinAttributes } from './attribute-joins.ts';
import { patronFields, patronNameByColumn } from './patron-fields.ts';
import { restrictedUntil, type PatronRow } from './patron-row.ts';
import { rewriteAttributeQuery } from './rewrite-attribute-query.ts';
import { searchableBranches } from './visibility.ts';

const fieldByName = new Map(patronFields.map((field) => [field.name, field]));
/** Columns that only the database knows but a query may name. */
const databaseOnly = new Set(['debarred', 'debarredcomment', 'flags', 'contactname', 'dateexpiry']);
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * The patrons a user may see, as lists and look-ups read them. Embedded attributes, checkouts and libraries are joined
 * (`Koha/REST/Plugin/Query.pm`, `dbic_merge_prefetch`), balances and overdues are not.
 */
export function patronSource(double: Double, user: PatronRow, embeds: readonly string[]): Source<PatronRow> {
  const { patrons } = double.db;
  const { release } = double.settings;
  const branches = searchableBranches(double, user);
  const withAttributes = embeds.includes('extended_attributes');
  const visible = function* (rows: Iterable<PatronRow>): Iterable<PatronRow> {
    for (const row of rows) if (branches === null || branches.has(row.columns.library_id)) yield row;
  };
  return {
    rows: () => visible(patrons.rows()),
    count: () => (branches === null ? patrons.size : [...visible(patrons.rows())].length),
    column: (name) => {
      if (!name.includes('.')) return patronColumn(double, name);
      return withAttributes && attributeColumn(name) !== undefined ? name : undefined;
    },
    read: (row, column) => {
      if (column === 'debarred') return restrictedUntil(row);
      return Object.hasOwn(row.columns, column) ? row.columns[column] : row.hidden[column];
    },
    isBroken: ({ hidden }) => hidden['broken'] === true,
    isAmbiguous: (name) => isAmbiguous(embeds, patronNameByColumn.get(name) ?? name),
    convert: (column, value) => convertDate(double, column, value),
    candidates: (condition) => {
      const ids = candidateIds(condition, (column, value) => lookUp(double, column, value));
      const byAttribute = ids ?? attributeIds(double, condition);
      if (byAttribute === null) return null;
      const found = [...byAttribute].sort((a, b) => a - b).flatMap((id) => patrons.get(id) ?? []);
      return visible(found);
    },
    ...(withAttributes ? { joined: joinAttributes } : {}),
    ...(withAttributes && isFrom(release, '24.05') ? { rewrite: rewriteAttributeQuery } : {}),
  };
}

/**
 * Columns that a joined table has as well. With the checkouts joined every name needs the prefix; that is what was seen
 * on Koha's own search code (a list of patrons with `checkouts+count`).
 */
function isAmbiguous(embeds: readonly string[], name: string): boolean {
  if (embeds.includes('checkouts+count')) return true;
  if (embeds.includes('extended_attributes') && name === 'patron_id') return true;
  return embeds.includes('library') && name === 'library_id';
}

/** `Koha/Object.pm`, `_recursive_fixup`: RFC 3339 becomes the database's time in the server's zone, all else fails. */
function convertDate(double: Double, column: string, value: string): string | null {
  const kind = fieldByName.get(column)?.kind;
  if (kind === 'date') return isDate(value) ? value : null;
  if (kind !== 'date-time') return value;
  return rfc3339.test(value) && isDate(value.slice(0, 10))
    ? double.clock.timestamp(Date.parse(value)).slice(0, 19).replace('T', ' ')
    : null;
}

function patronColumn({ settings }: Double, name: string): string | undefined {
  const canonical = patronNameByColumn.get(name) ?? name;
  const field = fieldByName.get(canonical);
  if (field === undefined) return databaseOnly.has(canonical) ? canonical : undefined;
  return field.since === undefined || isFrom(settings.release, field.since) ? canonical : undefined;
}

function lookUp(double: Double, column: string, value: unknown): ReadonlySet<number> | null {
  const { patrons } = double.db;
  if (column === 'patron_id') {
    const id = Number(value);
    return patrons.get(id) === undefined ? new Set() : new Set([id]);
  }
  if (typeof value !== 'string') return null;
  const attribute = column.includes('.') ? attributeColumn(column) : undefined;
  if (attribute !== undefined) {
    const { type, key } = attribute;
    return type !== null && key === 'value' ? patrons.idsWithAttribute(type, value) : null;
  }
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
