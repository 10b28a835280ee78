/** Comparisons that Koha's `q` allows on one column. */
export type Comparison =
  | '='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | 'like'
  | 'not_like'
  | 'in'
  | 'not_in'
  | 'between'
  | 'not_between'
  | 'bool'
  | 'not_bool'
  | 'regexp';

/** A filter over rows: what `q` and the simple filters come to. */
export type Condition =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'compare';
      readonly column: string;
      readonly comparison: Comparison;
      readonly value: unknown;
    };

export const everything: Condition = { kind: 'all' };

export function allOf(parts: readonly Condition[]): Condition {
  const real = parts.filter((part) => part.kind !== 'all');
  const [only] = real;
  if (only === undefined) return everything;
  return real.length === 1 ? only : { kind: 'and', parts: real };
}

/** Calls `visit` with every column that the condition names. */
export function eachColumn(condition: Condition, visit: (column: string) => void): void {
  switch (condition.kind) {
    case 'all':
      return;
    case 'and':
    case 'or':
      for (const part of condition.parts) eachColumn(part, visit);
      return;
    case 'not':
      eachColumn(condition.part, visit);
      return;
    case 'compare':
      visit(condition.column);
      return;
    default:
      condition satisfies never;
  }
}
