import { collate } from '../collation.ts';
import { isRecord } from '../record.ts';

/** Comparisons that Koha's `q` allows on one column, of what is stored there with a value; those that nobody sends here are refused. */
const comparisons = {
  '=': (stored, value) => order(stored, value) === 0,
  '!=': (stored, value) => order(stored, value) !== 0,
  '<': (stored, value) => order(stored, value) < 0,
  '>': (stored, value) => order(stored, value) > 0,
  '<=': (stored, value) => order(stored, value) <= 0,
  '>=': (stored, value) => order(stored, value) >= 0,
  like: isLike,
  in: isIn,
  between: isBetween,
} satisfies Readonly<Record<string, (stored: unknown, value: unknown) => boolean>>;

type Comparison = keyof typeof comparisons;

const operators = new Map<string, Comparison>(
  (Object.keys(comparisons) as Comparison[]).map((name) => [/\w/.test(name) ? `-${name}` : name, name]),
).set('like', 'like');
const listTakers = new Set<Comparison>(['in', 'between']);

/** A filter over rows: what `q` and the simple filters come to. */
export type Condition =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | CompareCondition;

interface CompareCondition {
  readonly kind: 'compare';
  readonly column: string;
  readonly comparison: Comparison;
  readonly value: unknown;
}

export const everything: Condition = { kind: 'all' };

export function allOf(parts: readonly Condition[]): Condition {
  const real = parts.filter((part) => part.kind !== 'all');
  const [only] = real;
  if (only === undefined) return everything;
  return real.length === 1 ? only : { kind: 'and', parts: real };
}

/** The condition with other names of its columns. */
export function renamed(condition: Condition, rename: (column: string) => string): Condition {
  switch (condition.kind) {
    case 'all':
      return everything;
    case 'and':
    case 'or':
      return { ...condition, parts: condition.parts.map((part) => renamed(part, rename)) };
    case 'compare':
      return { ...condition, column: rename(condition.column) };
    default:
      return condition satisfies never;
  }
}

/** Every column that the condition names. */
export function columnsOf(condition: Condition): ReadonlySet<string> {
  const columns = new Set<string>();
  renamed(condition, (column) => {
    columns.add(column);
    return column;
  });
  return columns;
}

/** Koha refuses an operator it does not allow with 400; anything else wrong with `q` ends in its catch-all 500. */
export type ParsedCondition =
  | { readonly kind: 'condition'; readonly condition: Condition }
  | { readonly kind: 'bad_operator' }
  | { readonly kind: 'unusable' };

class BadOperator extends Error {}
class Unusable extends Error {}

/** Parses what one `q` parameter holds. `{}` and `[]` are no filter at all. */
export function parseCondition(parsed: unknown): ParsedCondition {
  try {
    return { kind: 'condition', condition: group(parsed, 'or') };
  } catch (error) {
    if (error instanceof BadOperator) return { kind: 'bad_operator' };
    if (error instanceof Unusable || error instanceof SyntaxError) return { kind: 'unusable' };
    throw error;
  }
}

function group(value: unknown, listMeans: 'and' | 'or'): Condition {
  if (Array.isArray(value)) return list(value, listMeans);
  if (!isRecord(value)) throw new Unusable();
  return allOf(Object.entries(value).map(([key, given]) => entry(key, given)));
}

function list(values: readonly unknown[], means: 'and' | 'or'): Condition {
  const [first] = values;
  if (first === '-and' || first === '-or') return list(values.slice(1), first === '-and' ? 'and' : 'or');
  const parts = values.map((value) => group(value, 'or')).filter((part) => part.kind !== 'all');
  if (parts.length === 0) return everything;
  return means === 'and' ? allOf(parts) : { kind: 'or', parts };
}

function entry(key: string, value: unknown): Condition {
  if (key === '-and' || key === '-or') return group(value, key === '-and' ? 'and' : 'or');
  if (key.startsWith('-')) throw new BadOperator();
  return onColumn(key, value);
}

function onColumn(column: string, value: unknown): Condition {
  if (Array.isArray(value)) return onColumnList(column, value);
  if (!isRecord(value)) return { kind: 'compare', column, comparison: '=', value };
  return allOf(Object.entries(value).map(([operator, operand]) => compared(column, operator, operand)));
}

function onColumnList(column: string, values: readonly unknown[]): Condition {
  const [first] = values;
  if (first === '-and') return allOf(values.slice(1).map((value) => onColumn(column, value)));
  const terms = first === '-or' ? values.slice(1) : values;
  return { kind: 'or', parts: terms.map((value) => listed(column, value)) };
}

/** What stands in a list is not looked at for operators: a word that is none goes to the database. */
function listed(column: string, value: unknown): Condition {
  try {
    return onColumn(column, value);
  } catch (error) {
    if (error instanceof BadOperator) throw new Unusable();
    throw error;
  }
}

function compared(column: string, operator: string, operand: unknown): Condition {
  if (operator === '-and' || operator === '-or') return onColumnList(column, [operator, ...asList(operand)]);
  const comparison = operators.get(operator);
  if (comparison === undefined) throw new BadOperator();
  const takesList = listTakers.has(comparison);
  if (takesList && !Array.isArray(operand)) throw new Unusable();
  if (Array.isArray(operand) && !takesList) {
    const parts = operand.map((value: unknown) => compared(column, operator, value));
    return comparison === '!=' ? allOf(parts) : { kind: 'or', parts };
  }
  return { kind: 'compare', column, comparison, value: operand };
}

/** Reads one column of the row at hand. */
export type Read = (column: string) => unknown;

/** Whether a row meets a condition, by the database's rules: collated text, and null equals nothing but null. */
export function matches(condition: Condition, read: Read): boolean {
  switch (condition.kind) {
    case 'all':
      return true;
    case 'and':
      return condition.parts.every((part) => matches(part, read));
    case 'or':
      return condition.parts.some((part) => matches(part, read));
    case 'compare':
      return compare(read(condition.column) ?? null, condition);
    default:
      return condition satisfies never;
  }
}

function compare(stored: unknown, { comparison, value = null }: CompareCondition): boolean {
  if (comparison === '=' && value === null) return stored === null;
  if (comparison === '!=' && value === null) return stored !== null;
  return stored !== null && comparisons[comparison](stored, value);
}

const momentText = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** Times are stored in the server's time zone, and compared as the database writes them: without an offset. */
function sqlMoment(value: string): string {
  return value.length === 10 ? `${value} 00:00:00` : value.slice(0, 19).replace(/[Tt]/, ' ');
}

/** Negative, zero or positive, as sorting and comparing in the database would have it. */
export function order(left: unknown, right: unknown): number {
  const isNumeric = typeof left === 'number' || typeof left === 'boolean' || typeof right === 'number';
  if (isNumeric) {
    const [a, b] = [Number(left), Number(right)];
    return Number.isNaN(a) || Number.isNaN(b) ? 1 : a - b;
  }
  const isMoment = typeof left === 'string' && momentText.test(left);
  const [a, b] = isMoment
    ? [sqlMoment(left), sqlMoment(text(right))]
    : [collate(text(left)), collate(text(right))];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** SQL's LIKE: `%` any run, `_` any one character, and Koha escapes neither in what a caller sends. */
function isLike(stored: unknown, pattern: unknown): boolean {
  const source = collate(text(pattern)).replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const like = `^${source.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`;
  return new RegExp(like, 'u').test(collate(text(stored)));
}

function isIn(stored: unknown, values: unknown): boolean {
  return asList(values).some((one) => order(stored, one) === 0);
}

function isBetween(stored: unknown, ends: unknown): boolean {
  const [low, high] = asList(ends);
  return order(stored, low) >= 0 && order(stored, high) <= 0;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' ? String(value) : '';
}

/** Ids that an equality on an indexed column gives, or null where there is no index for it. */
type Lookup = (column: string, value: unknown) => ReadonlySet<number> | null;

/** Ids among which all matches are, or null where only a look at every row can show it. */
export function candidateIds(condition: Condition, lookup: Lookup): ReadonlySet<number> | null {
  switch (condition.kind) {
    case 'all':
      return null;
    case 'compare': {
      const { comparison, column, value } = condition;
      if (comparison === '=') return lookup(column, value);
      return comparison === 'in' ? union(asList(value).map((one) => lookup(column, one))) : null;
    }
    case 'and':
      return smallest(condition.parts.map((part) => candidateIds(part, lookup)));
    case 'or':
      return union(condition.parts.map((part) => candidateIds(part, lookup)));
    default:
      return condition satisfies never;
  }
}

function smallest(sets: readonly (ReadonlySet<number> | null)[]): ReadonlySet<number> | null {
  return sets.filter((set) => set !== null).toSorted((a, b) => a.size - b.size)[0] ?? null;
}

function union(sets: readonly (ReadonlySet<number> | null)[]): ReadonlySet<number> | null {
  return sets.includes(null) ? null : new Set(sets.flatMap((set) => [...(set ?? [])]));
}
