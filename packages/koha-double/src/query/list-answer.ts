import { crash, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { asText, isRecord } from '../record.ts';
import {
  UnknownQuery,
  matches,
  order,
  parseTest,
  type ColumnCondition,
  type Condition,
  type Reader,
} from './condition.ts';

/** Rows that can be listed, and how to read and find them. */
export interface Source<Row> extends Reader<Row> {
  /** Rows the user may see, in the order of their ids. */
  rows(): Iterable<Row>;
  /** Name in the API or the database -> canonical column name, or undefined where the table has no such column. */
  column(name: string): string | undefined;
  /** Whether a name without a prefix is a column of a joined table as well: the database refuses such a query. */
  isAmbiguous?(name: string): boolean;
  /**
   * What Koha makes of a value for a column of its own at the top of a query: dates and times must be written as the
   * API writes them, and become the database's. Null: Koha fails on it.
   */
  convert?(column: string, value: string): string | null;
  /** The rows that an index gives for a condition, a superset of those that match, or null: look at all. */
  candidates?(condition: Condition): Iterable<Row> | null;
  /** Whether Koha fails at each list that contains the row. */
  isBroken?(row: Row): boolean;
}

/** What a query needs of a source, whatever its rows are. */
type Names = Pick<Source<never>, 'column' | 'isAmbiguous' | 'convert' | 'attributes'>;

/** What Koha answers with its catch-all 500. */
class Unusable extends Error {}

/** Answers a list route: `q` or simple filters of these names, one sort key, paging and the count of all that was found. */
export function listAnswer<Row>(
  call: ApiCall,
  source: Source<Row>,
  filters: readonly string[],
  render: (row: Row, condition: Condition) => unknown,
): Answer {
  try {
    const condition = readCondition(call, source, filters);
    const sortColumn = readSorting(call.query['_order_by'], source);
    const candidates = [...(source.candidates?.(condition) ?? source.rows())];
    const found = candidates.filter((row) => matches(condition, row, source));
    const sorted = sortColumn === undefined ? found : found.toSorted(bySorting(source, sortColumn));
    const rows = sorted.slice(...pageOf(call));
    if (rows.some((row) => source.isBroken?.(row) === true)) return crash();
    return ok(
      rows.map((row) => render(row, condition)),
      { 'X-Total-Count': String(found.length) },
    );
  } catch (error) {
    if (error instanceof UnknownQuery) return problem(500, error.message);
    if (error instanceof Unusable) return crash();
    throw error;
  }
}

function readCondition({ query, body }: ApiCall, source: Names, filters: readonly string[]): Condition {
  const queries = Array.isArray(query['q']) ? query['q'].map(String) : [];
  const simple = simpleFilters(query, source, filters);
  // Koha would take all of them together, and from 25.11 on the body of a GET for one more (40424).
  if (body !== undefined) throw new UnknownQuery(body);
  if (queries.length + Math.min(simple.length, 1) > 1) throw new UnknownQuery(query);
  return { kind: 'and', parts: [...simple, ...queries.flatMap((text) => readQuery(parsed(text), source))] };
}

/** Each of them means "contains", and an empty filter is no filter. */
function simpleFilters(
  query: Readonly<Record<string, unknown>>,
  source: Names,
  filters: readonly string[],
): readonly ColumnCondition[] {
  if ((query['_match'] ?? 'contains') !== 'contains') throw new UnknownQuery({ _match: query['_match'] });
  return Object.entries(query)
    .filter(([name, value]) => filters.includes(name) && value !== '')
    .map(([name, value]) => {
      if (typeof value === 'boolean') throw new UnknownQuery({ [name]: value });
      const values = [`%${asText(value)}%`];
      return { kind: 'column', column: resolveColumn(source, name), comparison: 'like', values };
    });
}

/** `Koha/REST/Plugin/Objects.pm`, `_rewrite_related_metadata_query`: the names of attributes in a query. */
const typeName = 'extended_attributes.code';
const valueName = 'extended_attributes.attribute';

/** A query: names that must all fit, an attribute's type and value among them, or groups of names. */
function readQuery(query: unknown, source: Names): readonly Condition[] {
  if (!isRecord(query)) throw new UnknownQuery(query);
  const { [typeName]: type, [valueName]: wanted, ...others } = query;
  const columns = Object.entries(others).map(([name, given]) =>
    name.startsWith('-')
      ? group(name, given, source)
      : converted(onColumn(name, given, source), name, source),
  );
  if (type === undefined && wanted === undefined) return columns;
  if (typeof type !== 'string' || wanted === undefined) throw new UnknownQuery(query);
  // Each type gets a joined table, which is called after it (`Koha/Objects/Mixin/ExtendedAttributes.pm`).
  if (source.attributes === undefined || /[\s.`]/.test(type)) throw new Unusable();
  return [...columns, { kind: 'attribute', type, ...parseTest(wanted) }];
}

/** `-and` or `-or` of queries, which Koha's own patron search sends. */
function group(name: string, given: unknown, source: Names): Condition {
  if ((name !== '-and' && name !== '-or') || !Array.isArray(given)) throw new UnknownQuery({ [name]: given });
  const parts = given.map((query: unknown): Condition => {
    if (!isRecord(query)) throw new UnknownQuery(query);
    const inside = Object.entries(query).map(([inner, value]) =>
      inner.startsWith('-') ? group(inner, value, source) : onColumn(inner, value, source),
    );
    return { kind: 'and', parts: inside };
  });
  return { kind: name === '-and' ? 'and' : 'or', parts };
}

function onColumn(name: string, given: unknown, source: Names): ColumnCondition {
  return { kind: 'column', column: resolveColumn(source, name), ...parseTest(given) };
}

/** Koha converts dates and times at the top of a query only, and only under names without a prefix (`Koha/Object.pm`, `attributes_from_api`). */
function converted(condition: ColumnCondition, name: string, { convert }: Names): ColumnCondition {
  if (convert === undefined || name.includes('.')) return condition;
  const values = condition.values.map((one) => {
    if (typeof one !== 'string' || one.startsWith('%') || one.endsWith('%')) return one;
    const made = convert(condition.column, one);
    if (made === null) throw new Unusable();
    return made;
  });
  return { ...condition, values };
}

/** A name in a query or an order -> its canonical column. */
function resolveColumn(source: Names, name: string): string {
  const own = name.startsWith('me.') ? name.slice('me.'.length) : name;
  const column = own === name && source.isAmbiguous?.(name) === true ? undefined : source.column(own);
  if (column === undefined) throw new Unusable();
  return column;
}

function readSorting(given: unknown, source: Names): string | undefined {
  const [key, ...others] = Array.isArray(given) ? given.map(String) : [];
  if (key === undefined) return undefined;
  if (others.length > 0 || key.startsWith('-')) throw new UnknownQuery({ _order_by: given });
  return resolveColumn(source, key.replace(/^[+ ]/, ''));
}

function bySorting<Row>(source: Source<Row>, column: string): (a: Row, b: Row) => number {
  return (a, b) => order(source.read(a, column) ?? '', source.read(b, column) ?? '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnknownQuery(text);
  }
}

/** Where the page begins and ends. */
function pageOf({ query, double }: ApiCall): readonly [number, number] {
  const { _page: page = 1, _per_page: size = Number(double.settings.preferences.RESTdefaultPageSize) } =
    query;
  if (!(Number(page) > 0 && Number(size) > 0)) throw new UnknownQuery({ _page: page, _per_page: size });
  return [(Number(page) - 1) * Number(size), Number(page) * Number(size)];
}
