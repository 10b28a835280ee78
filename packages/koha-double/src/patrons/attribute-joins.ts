import { collate } from '../collation.ts';
import { eachColumn, type Condition } from '../query/condition.ts';
import { matches, type Read } from '../query/matches.ts';
import type { AttributeRow, PatronRow } from './patron-row.ts';

const columns = new Map<string, keyof AttributeRow>([
  ['id', 'extended_attribute_id'],
  ['code', 'type'],
  ['attribute', 'value'],
]);

/** A column of the attributes, or of those of one type, as a query names it. */
export interface AttributeColumn {
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
  let isNamed = false;
  eachColumn(condition, (name) => {
    isNamed ||= attributeColumn(name) !== undefined;
  });
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
