import { collate } from '../collation.ts';
import { isRecord } from '../record.ts';

/** Comparisons of what is stored with a value, both not null. */
const comparisons = {
  '=': (stored, value) => order(stored, value) === 0,
  '>': (stored, value) => order(stored, value) > 0,
  '>=': (stored, value) => order(stored, value) >= 0,
  like: isLike,
} satisfies Readonly<Record<string, (stored: unknown, value: unknown) => boolean>>;

type Comparison = keyof typeof comparisons;
type Scalar = string | number;

const operators = new Map<string, Comparison>([
  ['>', '>'],
  ['>=', '>='],
  ['-like', 'like'],
  ['like', 'like'],
]);

/** A query of a shape that nobody sends here. Koha may take it; the stand-in cannot say what it would find. */
export class UnknownQuery extends Error {
  constructor(what: unknown) {
    super(`The stand-in does not know this shape of query: ${JSON.stringify(what)}`);
  }
}

/** What is asked of one value: that it compares so with one of these. */
export interface Test {
  readonly comparison: Comparison;
  readonly values: readonly Scalar[];
}

/** A test of a column of the listed table. */
export interface ColumnCondition extends Test {
  readonly kind: 'column';
  readonly column: string;
}

/** A test of the values of one attribute type, which one of them must pass. */
export interface AttributeCondition extends Test {
  readonly kind: 'attribute';
  readonly type: string;
}

/** A filter over rows: what `q` and the simple filters come to. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | ColumnCondition
  | AttributeCondition;

/** Parses what `q` compares with one name. */
export function parseTest(given: unknown): Test {
  if (isScalar(given)) return { comparison: '=', values: [given] };
  if (Array.isArray(given) && given.every(isScalar)) return { comparison: '=', values: given };
  const [[operator, operand] = ['', undefined], ...others] = isRecord(given) ? Object.entries(given) : [];
  const comparison = operators.get(operator);
  if (comparison === undefined || !isScalar(operand) || others.length > 0) throw new UnknownQuery(given);
  return { comparison, values: [operand] };
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number';
}

/** How to read a row. */
export interface Reader<Row> {
  read(row: Row, column: string): unknown;
  /** The values of an attribute type. */
  attributes?(row: Row, type: string): readonly unknown[];
}

/** Whether a row meets a condition. */
export function matches<Row>(condition: Condition, row: Row, reader: Reader<Row>): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.parts.every((part) => matches(part, row, reader));
    case 'or':
      return condition.parts.some((part) => matches(part, row, reader));
    case 'column':
      return passes(condition, reader.read(row, condition.column));
    case 'attribute':
      return reader.attributes?.(row, condition.type).some((value) => passes(condition, value)) === true;
    default:
      return condition satisfies never;
  }
}

/** Whether a stored value passes a test, by the database's rules: text is collated, and null equals nothing. */
export function passes({ comparison, values }: Test, stored: unknown): boolean {
  if (stored === null || stored === undefined) return false;
  return values.some((value) => comparisons[comparison](stored, value));
}

const momentText = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** Times are stored in the server's time zone, and compared as the database writes them: without an offset. */
function sqlMoment(value: string): string {
  return value.length === 10 ? `${value} 00:00:00` : value.slice(0, 19).replace(/[Tt]/, ' ');
}

/** Negative, zero or positive, as sorting and comparing in the database would have it. */
export function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' || typeof right === 'number') {
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

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' ? String(value) : '';
}

/** Ids of the rows that have this value, or null where there is no index for it. */
type Lookup = (condition: ColumnCondition | AttributeCondition, value: Scalar) => ReadonlySet<number> | null;

/** Ids among which all matches are, or null where only a look at every row can show it. */
export function candidateIds(condition: Condition, lookup: Lookup): ReadonlySet<number> | null {
  switch (condition.kind) {
    case 'and': {
      const sets = condition.parts.map((part) => candidateIds(part, lookup));
      return sets.filter((set) => set !== null).toSorted((a, b) => a.size - b.size)[0] ?? null;
    }
    case 'or':
      return null;
    case 'column':
    case 'attribute': {
      if (condition.comparison !== '=') return null;
      const sets = condition.values.map((value) => lookup(condition, value));
      return sets.includes(null) ? null : new Set(sets.flatMap((set) => [...(set ?? [])]));
    }
    default:
      return condition satisfies never;
  }
}
