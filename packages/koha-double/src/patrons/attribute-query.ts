import { collate } from '../collation.ts';
import { columnsOf, matches, type Condition, type Read } from '../query/condition.ts';
import type { AttributeRow, PatronRow } from './patron-table.ts';
import { isRecord } from '../record.ts';

const columns = new Map<string, keyof AttributeRow>([
  ['id', 'extended_attribute_id'],
  ['code', 'type'],
  ['attribute', 'value'],
]);

/** A column of the attributes, or of those of one type, as a query names it. */
interface AttributeColumn {
  /** Name of the joined table. */
  readonly alias: string;
  /** Null: attributes of any type. */
  readonly type: string | null;
  readonly key: keyof AttributeRow;
}

/** `extended_attributes.code`, or `extended_attributes_TYPE.code` as the rewritten query has it. */
export function attributeColumn(name: string): AttributeColumn | undefined {
  const [, alias = '', type, column = ''] = /^(extended_attributes(?:_([^.]+))?)\.(\w+)$/.exec(name) ?? [];
  const key = columns.get(column);
  return key === undefined ? undefined : { alias, type: type ?? null, key };
}

/** Every combination of one row a joined table, as left joins give them: a row of nulls where there is none. */
export function* joinAttributes(row: PatronRow, names: ReadonlySet<string>): Iterable<Read> {
  const tables = new Map<string, readonly (AttributeRow | null)[]>();
  for (const name of names) {
    const column = attributeColumn(name);
    if (column === undefined) continue;
    const fitting = row.attributes.filter(
      (one) => column.type === null || collate(one.type) === collate(column.type ?? ''),
    );
    tables.set(column.alias, fitting.length === 0 ? [null] : fitting);
  }
  for (const joined of combinations([...tables])) {
    yield (name) => {
      const column = attributeColumn(name);
      return column === undefined ? null : (joined.get(column.alias)?.[column.key] ?? null);
    };
  }
}

/** The attributes for which a condition holds; all of them where it names none. */
export function matchingAttributes(row: PatronRow, condition: Condition): readonly AttributeRow[] {
  const isNamed = [...columnsOf(condition)].some((name) => attributeColumn(name) !== undefined);
  if (!isNamed) return row.attributes;
  return row.attributes.filter((attribute) =>
    matches(condition, (name) => {
      const column = attributeColumn(name);
      return column === undefined ? (row.columns[name] ?? row.hidden[name]) : attribute[column.key];
    }),
  );
}

function* combinations(
  tables: readonly (readonly [string, readonly (AttributeRow | null)[]])[],
): Iterable<ReadonlyMap<string, AttributeRow | null>> {
  const [first, ...more] = tables;
  if (first === undefined) {
    yield new Map();
    return;
  }
  for (const others of combinations(more)) {
    for (const row of first[1]) yield new Map([...others, [first[0], row]]);
  }
}

const code = 'extended_attributes.code';
const value = 'extended_attributes.attribute';
/** A name that the database does not take for the name of a joined table. */
const unfit = /[\s.`]/;

/**
 * What Koha makes of a query on attributes that are embedded (`Koha/Objects/Mixin/ExtendedAttributes.pm`): each type
 * that is named gets a joined table of its own, so that several can be combined; a type without a value becomes one
 * with the value null. It looks into one key of an object only, at random: beside a second key `-and` stays as it is
 * here, where Koha would find it now and then. Null: a type that makes no name of a table.
 */
export function rewriteAttributeQuery(query: unknown): { readonly query: unknown } | null {
  if (Array.isArray(query)) {
    const parts = query.map(rewriteAttributeQuery);
    return parts.includes(null) ? null : { query: parts.map((part) => part?.query) };
  }
  if (!isRecord(query)) return { query };
  const type = query[code];
  if (typeof type === 'string' && type !== '') {
    if (unfit.test(type)) return null;
    const { [code]: _code, [value]: wanted = null, ...others } = query;
    const alias = `extended_attributes_${type}`;
    return { query: { ...others, [`${alias}.code`]: type, [`${alias}.attribute`]: wanted } };
  }
  const [only, ...others] = Object.entries(query);
  if (only === undefined || others.length > 0) return { query };
  const inside = rewriteAttributeQuery(only[1]);
  return inside === null ? null : { query: { [only[0]]: inside.query } };
}
