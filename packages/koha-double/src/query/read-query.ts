import { isRecord } from '../record.ts';
import { allOf, eachColumn, everything, type Condition } from './condition.ts';
import { parseCondition, type ParsedCondition } from './parse-condition.ts';
import type { Source } from './source.ts';

type Names<Row> = Pick<Source<Row>, 'column' | 'isAmbiguous' | 'convert' | 'rewrite'>;

const unusable: ParsedCondition = { kind: 'unusable' };

/**
 * Reads the `q` parameters of a request, all of which must hold, with canonical column names. `isAlone`: no simple
 * filter beside them. Koha converts dates and times only in a single query that is an object, only at its top, and
 * only under names without a prefix (`Koha/Object.pm`, `attributes_from_api`).
 */
export function readQuery<Row>(
  texts: readonly string[],
  source: Names<Row>,
  isAlone: boolean,
): ParsedCondition {
  const queries: unknown[] = [];
  for (const text of texts) {
    if (text.trim() === '') continue;
    const query = parsed(text);
    if (query === undefined) return unusable;
    queries.push(query);
  }
  const parts: Condition[] = [];
  for (const query of queries) {
    const read = readOne(query, source, isAlone && queries.length === 1);
    if (read.kind !== 'condition') return read;
    parts.push(read.condition);
  }
  return { kind: 'condition', condition: allOf(parts) };
}

/** A name in a query or an order -> its canonical column, or undefined where the database would refuse it. */
export function resolveColumn<Row>(source: Names<Row>, name: string): string | undefined {
  if (name.startsWith('me.')) {
    const own = name.slice('me.'.length);
    return own.includes('.') ? undefined : source.column(own);
  }
  if (!name.includes('.') && source.isAmbiguous?.(name) === true) return undefined;
  return source.column(name);
}

function readOne<Row>(query: unknown, source: Names<Row>, isTop: boolean): ParsedCondition {
  const converted = isTop && isRecord(query) ? convertTop(query, source) : query;
  const rewritten = source.rewrite === undefined ? { query: converted } : source.rewrite(converted);
  if (converted === null || rewritten === null) return unusable;
  const read = parseCondition(rewritten.query);
  if (read.kind !== 'condition') return read;
  let isKnown = true;
  eachColumn(read.condition, (name) => {
    if (resolveColumn(source, name) === undefined) isKnown = false;
  });
  return isKnown ? { kind: 'condition', condition: renamed(read.condition, source) } : unusable;
}

/** Null where Koha refuses a date. */
function convertTop<Row>(
  query: Readonly<Record<string, unknown>>,
  source: Names<Row>,
): Readonly<Record<string, unknown>> | null {
  const { convert } = source;
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
    const column = name.includes('.') || name.startsWith('-') ? undefined : source.column(name);
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

function renamed<Row>(condition: Condition, source: Names<Row>): Condition {
  switch (condition.kind) {
    case 'all':
      return everything;
    case 'and':
    case 'or':
      return { ...condition, parts: condition.parts.map((part) => renamed(part, source)) };
    case 'not':
      return { ...condition, part: renamed(condition.part, source) };
    case 'compare':
      return { ...condition, column: resolveColumn(source, condition.column) ?? condition.column };
    default:
      return condition satisfies never;
  }
}
