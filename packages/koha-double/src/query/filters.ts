import { allOf, eachColumn, everything, type Condition } from './condition.ts';
import { parseCondition, type ParsedCondition } from './parse-condition.ts';

export type Match = 'contains' | 'exact' | 'starts_with' | 'ends_with';

/** The simple filters of a request. `contains` is Koha's default, and an empty filter is no filter. */
export function simpleFilters(
  query: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
  fixed: Readonly<Record<string, Condition>> = {},
): Condition {
  const match = parseMatch(query['_match']);
  const parts: Condition[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (!names.has(name) || value === undefined || value === '') continue;
    const special = fixed[name];
    parts.push(special ?? filterOf(name, value, match));
  }
  return allOf(parts);
}

/** `q`, which may be repeated: all of them must hold. Column names are turned into canonical ones. */
export function queryFilter(
  texts: readonly string[],
  column: (name: string) => string | undefined,
): ParsedCondition {
  const parts: Condition[] = [];
  for (const text of texts) {
    const parsed = parseCondition(text);
    if (parsed.kind !== 'condition') return parsed;
    let isKnown = true;
    eachColumn(parsed.condition, (name) => {
      if (column(name) === undefined) isKnown = false;
    });
    if (!isKnown) return { kind: 'unusable' };
    parts.push(renamed(parsed.condition, column));
  }
  return { kind: 'condition', condition: allOf(parts) };
}

function filterOf(column: string, value: unknown, match: Match): Condition {
  if (match === 'exact') return { kind: 'compare', column, comparison: '=', value };
  const plain = typeof value === 'boolean' ? String(Number(value)) : String(value);
  const [before, after] = { contains: ['%', '%'], starts_with: ['', '%'], ends_with: ['%', ''] }[match];
  return { kind: 'compare', column, comparison: 'like', value: `${before}${plain}${after}` };
}

function parseMatch(value: unknown): Match {
  return value === 'exact' || value === 'starts_with' || value === 'ends_with' ? value : 'contains';
}

function renamed(condition: Condition, column: (name: string) => string | undefined): Condition {
  switch (condition.kind) {
    case 'all':
      return everything;
    case 'and':
    case 'or':
      return { ...condition, parts: condition.parts.map((part) => renamed(part, column)) };
    case 'not':
      return { ...condition, part: renamed(condition.part, column) };
    case 'compare':
      return { ...condition, column: column(condition.column) ?? condition.column };
    default:
      return condition satisfies never;
  }
}
