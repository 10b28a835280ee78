import { crash, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { asText, isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import {
  allOf,
  columnsOf,
  matches,
  order,
  parseCondition,
  renamed,
  type Condition,
  type ParsedCondition,
  type Read,
} from './condition.ts';

/** Rows that can be listed, and how to read and find them. */
export interface Source<Row> {
  /** Rows the user may see, in the order of their ids. */
  rows(): Iterable<Row>;
  /** How many `rows()` has. */
  count(): number;
  /**
   * API or database name -> canonical column name, or undefined where the table has no such column. Names of joined
   * tables are dotted; the prefix of the listed table itself (`me.`) is gone already.
   */
  column(name: string): string | undefined;
  read(row: Row, column: string): unknown;
  /** Whether a name without a prefix is a column of a joined table as well: the database refuses such a query. */
  isAmbiguous?(name: string): boolean;
  /**
   * What Koha makes of a value for a column of its own at the top of a query: dates and times must be written as the
   * API writes them, and become the database's. Null: Koha fails on it.
   */
  convert?(column: string, value: string): string | null;
  /** What Koha makes of a parsed `q` before it searches. Null: the database refuses what comes out. */
  rewrite?(query: unknown): { readonly query: unknown } | null;
  /** The rows that an index gives for a condition, a superset of those that match, or null: look at all. */
  candidates?(condition: Condition): Iterable<Row> | null;
  /** Whether Koha fails at each list that contains the row. */
  isBroken?(row: Row): boolean;
  /** Combinations of joined rows of `row` for these dotted columns; the condition must hold for one of them. */
  joined?(row: Row, columns: ReadonlySet<string>): Iterable<Read>;
}

/** What a query needs of a source, whatever its rows are. */
type Names = Pick<Source<never>, 'column' | 'isAmbiguous' | 'convert' | 'rewrite'>;

/** Answers a list route: filters, `q`, sorting, paging and their headers. */
export function listAnswer<Row>(
  call: ApiCall,
  source: Source<Row>,
  filters: Condition,
  render: (row: Row, condition: Condition) => unknown,
): Answer {
  const read = readQuery(queriesOf(call), source, filters.kind === 'all');
  if (read.kind === 'bad_operator') return problem(400, 1, { error_code: 'invalid_query' });
  const sorting = parseSorting(call.query['_order_by'], source);
  // Simple filters have no prefix, ever.
  const isAmbiguous = [...columnsOf(filters)].some((name) => source.isAmbiguous?.(name) === true);
  if (read.kind === 'unusable' || sorting === null || isAmbiguous) return crash();
  const condition = allOf([filters, read.condition]);
  const found = select(source, condition);
  const sorted = sorting.length === 0 ? found : found.toSorted(bySorting(source, sorting));
  const page = parsePage(call.query, call.double.settings.preferences.RESTdefaultPageSize);
  const rows =
    page.size === -1 ? sorted : sorted.slice((page.number - 1) * page.size, page.number * page.size);
  if (rows.some((row) => source.isBroken?.(row) === true)) return crash();
  const id = call.headers['x-koha-request-id'];
  return ok(
    rows.map((row) => render(row, condition)),
    {
      ...pageHeaders(call, page, found.length, source.count()),
      ...(id === undefined ? {} : { 'x-koha-request-id': id }),
    },
  );
}

/** `q`, and from 25.11 on the body too: described for all releases, it was broken before (40424). */
function queriesOf({ query: { q }, body, release }: ApiCall): readonly string[] {
  const isRead = body !== undefined && isFrom(release, '25.11');
  return [...(Array.isArray(q) ? q.map(String) : []), ...(isRead ? [JSON.stringify(body)] : [])];
}

function select<Row>(source: Source<Row>, condition: Condition): readonly Row[] {
  const candidates = [...(source.candidates?.(condition) ?? source.rows())];
  const dotted = new Set([...columnsOf(condition)].filter((column) => column.includes('.')));
  return candidates.filter((row) => {
    const own: Read = (column) => source.read(row, column);
    if (source.joined === undefined || dotted.size === 0) return matches(condition, own);
    for (const join of source.joined(row, dotted)) {
      if (matches(condition, (column) => (column.includes('.') ? join(column) : own(column)))) return true;
    }
    return false;
  });
}

interface Sorting {
  readonly column: string;
  readonly direction: 1 | -1;
}

function parseSorting(value: unknown, source: Names): readonly Sorting[] | null {
  const sorting: Sorting[] = [];
  for (const part of Array.isArray(value) ? value.map(String) : []) {
    const column = resolveColumn(source, part.replace(/^[+\- ]/, '').trim());
    if (column === undefined || column.includes('.')) return null;
    sorting.push({ column, direction: part.startsWith('-') ? -1 : 1 });
  }
  return sorting;
}

function bySorting<Row>(source: Source<Row>, sorting: readonly Sorting[]): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const { column, direction } of sorting) {
      const compared = order(source.read(a, column) ?? '', source.read(b, column) ?? '') * direction;
      if (compared !== 0) return compared;
    }
    return 0;
  };
}

const wildcards: Readonly<Record<string, readonly [before: string, after: string]>> = {
  contains: ['%', '%'],
  starts_with: ['', '%'],
  ends_with: ['%', ''],
};

/** The simple filters of a request; `fixed`: what some of them come to. `contains` is Koha's default, and an empty filter is no filter. */
export function simpleFilters(
  query: Readonly<Record<string, unknown>>,
  names: readonly string[],
  fixed: Readonly<Record<string, Condition>> = {},
): Condition {
  const match = asText(query['_match']) || 'contains';
  const [before = '', after = ''] = wildcards[match] ?? [];
  const filterOf = (column: string, value: unknown): Condition => {
    if (match === 'exact') return { kind: 'compare', column, comparison: '=', value };
    const plain = typeof value === 'boolean' ? String(Number(value)) : String(value);
    return { kind: 'compare', column, comparison: 'like', value: `${before}${plain}${after}` };
  };
  return allOf(
    Object.entries(query)
      .filter(([name, value]) => names.includes(name) && value !== undefined && value !== '')
      .map(([name, value]) => fixed[name] ?? filterOf(name, value)),
  );
}

const unusable: ParsedCondition = { kind: 'unusable' };

/**
 * Reads the `q` parameters of a request, all of which must hold, with canonical column names. `isAlone`: no simple
 * filter beside them. Koha converts dates and times only in a single query that is an object, only at its top, and
 * only under names without a prefix (`Koha/Object.pm`, `attributes_from_api`).
 */
function readQuery(texts: readonly string[], source: Names, isAlone: boolean): ParsedCondition {
  const queries = texts.filter((text) => text.trim() !== '').map(parsed);
  if (queries.includes(undefined)) return unusable;
  const parts: Condition[] = [];
  for (const query of queries) {
    const read = readOne(query, source, isAlone && queries.length === 1);
    if (read.kind !== 'condition') return read;
    parts.push(read.condition);
  }
  return { kind: 'condition', condition: allOf(parts) };
}

/** A name in a query or an order -> its canonical column, or undefined where the database would refuse it. */
function resolveColumn(source: Names, name: string): string | undefined {
  if (name.startsWith('me.')) {
    const own = name.slice('me.'.length);
    return own.includes('.') ? undefined : source.column(own);
  }
  if (!name.includes('.') && source.isAmbiguous?.(name) === true) return undefined;
  return source.column(name);
}

function readOne(query: unknown, source: Names, isTop: boolean): ParsedCondition {
  const converted = isTop && isRecord(query) ? convertTop(query, source) : query;
  const rewritten = source.rewrite === undefined ? { query: converted } : source.rewrite(converted);
  if (converted === null || rewritten === null) return unusable;
  const read = parseCondition(rewritten.query);
  if (read.kind !== 'condition') return read;
  const names = new Map(
    [...columnsOf(read.condition)].map((name) => [name, resolveColumn(source, name)] as const),
  );
  if ([...names.values()].includes(undefined)) return unusable;
  return { kind: 'condition', condition: renamed(read.condition, (name) => names.get(name) ?? name) };
}

/** Null where Koha refuses a date. */
function convertTop(
  query: Readonly<Record<string, unknown>>,
  { convert, column: columnOf }: Names,
): Readonly<Record<string, unknown>> | null {
  if (convert === undefined) return query;
  let isFit = true;
  const walk = (column: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((one) => walk(column, one));
    if (isRecord(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([operator, one]) => [operator, walk(column, one)]),
      );
    }
    if (typeof value !== 'string' || value.startsWith('%') || value.endsWith('%')) return value;
    const converted = convert(column, value);
    if (converted === null) isFit = false;
    return converted;
  };
  const entries = Object.entries(query).map(([name, value]) => {
    const column = name.includes('.') || name.startsWith('-') ? undefined : columnOf(name);
    return [name, column === undefined ? value : walk(column, value)] as const;
  });
  return isFit ? Object.fromEntries(entries) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `size` -1: all rows. */
interface Page {
  readonly number: number;
  readonly size: number;
}

function parsePage(query: Readonly<Record<string, unknown>>, defaultSize: string): Page {
  const { _page: number, _per_page: size } = query;
  return {
    number: typeof number === 'number' && number > 0 ? number : 1,
    size: typeof size === 'number' ? size : Number(defaultSize) || 20,
  };
}

/** `X-Total-Count` after filtering, `X-Base-Total-Count` before, and `Link` to the other pages. */
function pageHeaders(
  call: ApiCall,
  page: Page,
  total: number,
  base: number,
): Readonly<Record<string, string>> {
  const pages = page.size === -1 ? 1 : Math.max(1, Math.ceil(total / page.size));
  const link = (rel: string, number: number): string => {
    const search = new URLSearchParams(call.search);
    search.set('_page', String(number));
    search.set('_per_page', String(page.size));
    return `<${call.url}?${search.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page.number > 1 ? [link('prev', page.number - 1)] : []),
    ...(page.number < pages ? [link('next', page.number + 1)] : []),
    link('first', 1),
    link('last', pages),
  ];
  return { 'X-Total-Count': String(total), 'X-Base-Total-Count': String(base), Link: links.join(',') };
}
