import { crash, ok, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { isFrom } from '../release.ts';
import { allOf, type Condition } from './condition.ts';
import { queryFilter } from './filters.ts';
import { matches, order } from './matches.ts';
import { pageHeaders, parsePage } from './paging.ts';
import type { Source } from './source.ts';

/** Answers a list route: filters, `q`, sorting, paging and their headers. */
export function listAnswer<Row>(
  call: ApiCall,
  source: Source<Row>,
  filters: Condition,
  render: (row: Row) => unknown,
): Answer {
  const parsed = queryFilter([...queriesOf(call)], (name) => source.column(ofListedTable(name)));
  if (parsed.kind === 'bad_operator') return problem(400, 1, { error_code: 'invalid_query' });
  if (parsed.kind === 'unusable') return crash();
  const sorting = parseSorting(call.query['_order_by'], source);
  if (sorting === null) return crash();
  const found = select(source, allOf([filters, parsed.condition]));
  const sorted = sorting.length === 0 ? found : [...found].sort(bySorting(source, sorting));
  const page = parsePage(call.query, call.double.settings.preferences.RESTdefaultPageSize);
  const rows =
    page.size === -1 ? sorted : sorted.slice((page.number - 1) * page.size, page.number * page.size);
  return ok(rows.map(render), {
    ...pageHeaders(call, page, found.length, source.count()),
    ...requestId(call),
  });
}

/** `q`, and from 25.11 on the body too: described for all releases, it was broken before (40424). */
function* queriesOf(call: ApiCall): Iterable<string> {
  const { q } = call.query;
  if (Array.isArray(q)) yield* q.map(String);
  if (call.body !== undefined && isFrom(call.release, '25.11')) yield JSON.stringify(call.body);
}

function select<Row>(source: Source<Row>, condition: Condition): readonly Row[] {
  const candidates = source.candidates?.(condition) ?? source.rows();
  const found: Row[] = [];
  for (const row of candidates) if (isMatch(source, row, condition)) found.push(row);
  return found;
}

function isMatch<Row>(source: Source<Row>, row: Row, condition: Condition): boolean {
  if (condition.kind === 'all') return true;
  const own = (column: string): unknown => source.read(row, column);
  if (source.joined === undefined) return matches(condition, own);
  const joins = source.joined(row);
  return joins.some((join) =>
    matches(condition, (column) => (column.includes('.') ? join(column) : own(column))),
  );
}

/** Koha's query plugin takes each name with the prefix of the listed table, too, and renames what follows. */
function ofListedTable(name: string): string {
  return name.replace(/^me\./, '');
}

interface Sorting {
  readonly column: string;
  readonly direction: 1 | -1;
}

function parseSorting<Row>(value: unknown, source: Source<Row>): readonly Sorting[] | null {
  const parts = Array.isArray(value) ? value.map(String) : [];
  const sorting: Sorting[] = [];
  for (const part of parts) {
    const column = source.column(ofListedTable(part.replace(/^[+\- ]/, '').trim()));
    if (column === undefined) return null;
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
