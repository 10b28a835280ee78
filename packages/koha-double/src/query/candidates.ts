import type { Condition } from './condition.ts';

/** Ids that an equality on an indexed column gives, or null where there is no index for it. */
export type Lookup = (column: string, value: unknown) => ReadonlySet<number> | null;

/** Ids among which all matches are, or null where only a look at every row can show it. */
export function candidateIds(condition: Condition, lookup: Lookup): ReadonlySet<number> | null {
  switch (condition.kind) {
    case 'all':
    case 'not':
      return null;
    case 'compare':
      return compared(condition, lookup);
    case 'and':
      return smallest(condition.parts.map((part) => candidateIds(part, lookup)));
    case 'or':
      return union(condition.parts.map((part) => candidateIds(part, lookup)));
    default:
      return condition satisfies never;
  }
}

function compared(
  condition: Extract<Condition, { kind: 'compare' }>,
  lookup: Lookup,
): ReadonlySet<number> | null {
  if (condition.comparison === '=') return lookup(condition.column, condition.value);
  if (condition.comparison !== 'in' || !Array.isArray(condition.value)) return null;
  return union(condition.value.map((value: unknown) => lookup(condition.column, value)));
}

function smallest(sets: readonly (ReadonlySet<number> | null)[]): ReadonlySet<number> | null {
  let best: ReadonlySet<number> | null = null;
  for (const set of sets) if (set !== null && (best === null || set.size < best.size)) best = set;
  return best;
}

function union(sets: readonly (ReadonlySet<number> | null)[]): ReadonlySet<number> | null {
  const all = new Set<number>();
  for (const set of sets) {
    if (set === null) return null;
    for (const id of set) all.add(id);
  }
  return all;
}
