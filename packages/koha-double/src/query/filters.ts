import { allOf, type Condition } from './condition.ts';

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

function filterOf(column: string, value: unknown, match: Match): Condition {
  if (match === 'exact') return { kind: 'compare', column, comparison: '=', value };
  const plain = typeof value === 'boolean' ? String(Number(value)) : String(value);
  const [before, after] = { contains: ['%', '%'], starts_with: ['', '%'], ends_with: ['%', ''] }[match];
  return { kind: 'compare', column, comparison: 'like', value: `${before}${plain}${after}` };
}

function parseMatch(value: unknown): Match {
  return value === 'exact' || value === 'starts_with' || value === 'ends_with' ? value : 'contains';
}
