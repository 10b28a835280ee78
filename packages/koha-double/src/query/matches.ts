import { collate } from '../collation.ts';
import type { Comparison, Condition } from './condition.ts';

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
    case 'not':
      return !matches(condition.part, read);
    case 'compare':
      return compare(read(condition.column) ?? null, condition.comparison, condition.value ?? null);
    default:
      return condition satisfies never;
  }
}

function compare(stored: unknown, comparison: Comparison, value: unknown): boolean {
  if (comparison === '=' && value === null) return stored === null;
  if (comparison === '!=' && value === null) return stored !== null;
  if (comparison === 'bool') return isTrue(stored) === isTrue(value);
  if (comparison === 'not_bool') return isTrue(stored) !== isTrue(value);
  if (stored === null) return false;
  switch (comparison) {
    case '=':
      return order(stored, value) === 0;
    case '!=':
      return order(stored, value) !== 0;
    case '<':
      return order(stored, value) < 0;
    case '>':
      return order(stored, value) > 0;
    case '<=':
      return order(stored, value) <= 0;
    case '>=':
      return order(stored, value) >= 0;
    case 'like':
      return isLike(stored, value);
    case 'not_like':
      return !isLike(stored, value);
    case 'in':
      return asList(value).some((one) => order(stored, one) === 0);
    case 'not_in':
      return !asList(value).some((one) => order(stored, one) === 0);
    case 'between':
      return isBetween(stored, asList(value));
    case 'not_between':
      return !isBetween(stored, asList(value));
    case 'regexp':
      return new RegExp(collate(text(value)), 'u').test(collate(text(stored)));
    default:
      return comparison satisfies never;
  }
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

function isBetween(stored: unknown, [low, high]: readonly unknown[]): boolean {
  return order(stored, low) >= 0 && order(stored, high) <= 0;
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'number' && value !== 0) || value === '1';
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' ? String(value) : '';
}
