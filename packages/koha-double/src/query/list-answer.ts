import { crash, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { isFrom } from '../release.ts';
import { allOf, eachColumn, type Condition } from './condition.ts';
import { matches, order } from './matches.ts';
import { pageHeaders, parsePage } from './paging.ts';
import { readQuery, resolveColumn } from './read-query.ts';
import type { Source } from './source.ts';

/** Answers a list route: filters, `q`, sorting, paging and their headers. */
export function listAnswer<Row>(
  call: ApiCall,
  source: Source<Row>,
  filters: Condition,
  render: (row: Row, condition: Condition) => unknown,
): Answer {
  const parsed = readQuery([...queriesOf(call)], source, filters.kind === 'all');
  if (parsed.kind === 'bad_operator') return problem(400, 1, { error_code: 'invalid_query' });
  if (parsed.kind === 'unusable') return crash();
  const sorting = parseSorting(call.query['_order_by'], source);
  if (sorting === null || isAmbiguous(filters, source)) return crash();
  const condition = allOf([filters, parsed.condition]);
  const found = select(source, condition);
  const sorted = sorting.length === 0 ? found : [...found].sort(bySorting(source, sorting));
  const page = parsePage(call.query, call.double.settings.preferences.RESTdefaultPageSize);
  const rows =
    page.size === -1 ? sorted : sorted.slice((page.number - 1) * page.size, page.number * page.size);
  if (rows.some((row) => source.isBroken?.(row) === true)) return crash();
  return ok(
    rows.map((row) => render(row, condition)),
    {
      ...pageHeaders(call, page, found.length, source.count()),
      ...requestId(call),
    },
  );
}

/** `q`, and from 25.11 on the body too: described for all releases, it was broken before (40424). */
function* queriesOf(call: ApiCall): Iterable<string> {
  const { q } = call.query;
  if (Array.isArray(q)) yield* q.map(String);
  if (call.body !== undefined && isFrom(call.release, '25.11')) yield JSON.stringify(call.body);
}

/** Simple filters have no prefix, ever. */
function isAmbiguous<Row>(filters: Condition, source: Source<Row>): boolean {
  let found = false;
  eachColumn(filters, (name) => {
    found ||= source.isAmbiguous?.(name) === true;
  });
  return found;
}

function select<Row>(source: Source<Row>, condition: Condition): readonly Row[] {
  const candidates = source.candidates?.(condition) ?? source.rows();
  const dotted = new Set<string>();
  eachColumn(condition, (column) => {
    if (column.includes('.')) dotted.add(column);
  });
  const found: Row[] = [];
  for (const row of candidates) if (isMatch(source, row, condition, dotted)) found.push(row);
  return found;
}

function isMatch<Row>(
  source: Source<Row>,
  row: Row,
  condition: Condition,
  dotted: ReadonlySet<string>,
): boolean {
  if (condition.kind === 'all') return true;
  const own = (column: string): unknown => source.read(row, column);
  if (source.joined === undefined || dotted.size === 0) return matches(condition, own);
  for (const join of source.joined(row, dotted)) {
    if (matches(condition, (column) => (column.includes('.') ? join(column) : own(column)))) return true;
  }
  return false;
}

interface Sorting {
  readonly column: string;
  readonly direction: 1 | -1;
}

function parseSorting<Row>(value: unknown, source: Source<Row>): readonly Sorting[] | null {
  const parts = Array.isArray(value) ? value.map(String) : [];
  const sorting: Sorting[] = [];
  for (const part of parts) {
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

function requestId(call: ApiCall): Readonly<Record<string, string>> {
  const id = call.headers['x-koha-request-id'];
  return id === undefined ? {} : { 'x-koha-request-id': id };
}
