import { isRecord } from '../record.ts';
import { allOf, type Comparison, type Condition } from './condition.ts';

/** Koha refuses an operator it does not allow with 400; anything else wrong with `q` ends in its catch-all 500. */
export type ParsedCondition =
  | { readonly kind: 'condition'; readonly condition: Condition }
  | { readonly kind: 'bad_operator' }
  | { readonly kind: 'unusable' };

const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ['=', '='],
  ['!=', '!='],
  ['<', '<'],
  ['>', '>'],
  ['<=', '<='],
  ['>=', '>='],
  ['like', 'like'],
  ['-like', 'like'],
  ['-not_like', 'not_like'],
  ['-in', 'in'],
  ['-not_in', 'not_in'],
  ['-between', 'between'],
  ['-not_between', 'not_between'],
  ['-ident', '='],
  ['-bool', 'bool'],
  ['-not_bool', 'not_bool'],
  ['-regexp', 'regexp'],
]);

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
  if (parts.length === 0) return { kind: 'all' };
  return means === 'and' ? allOf(parts) : { kind: 'or', parts };
}

function entry(key: string, value: unknown): Condition {
  if (key === '-and' || key === '-or') return group(value, key === '-and' ? 'and' : 'or');
  if (key === '-not' || key === '-not_bool') return { kind: 'not', part: group(value, 'or') };
  if (key === '-bool') return group(value, 'or');
  if (key.startsWith('-')) throw new BadOperator();
  return column(key, value);
}

function column(name: string, value: unknown): Condition {
  if (Array.isArray(value)) return columnList(name, value);
  if (!isRecord(value)) return { kind: 'compare', column: name, comparison: '=', value };
  return allOf(Object.entries(value).map(([operator, operand]) => comparison(name, operator, operand)));
}

function columnList(name: string, values: readonly unknown[]): Condition {
  const [first] = values;
  if (first === '-and') return allOf(values.slice(1).map((value) => column(name, value)));
  const terms = first === '-or' ? values.slice(1) : values;
  return { kind: 'or', parts: terms.map((value) => listed(name, value)) };
}

/** What stands in a list is not looked at for operators: a word that is none goes to the database. */
function listed(name: string, value: unknown): Condition {
  try {
    return column(name, value);
  } catch (error) {
    if (error instanceof BadOperator) throw new Unusable();
    throw error;
  }
}

function comparison(name: string, operator: string, operand: unknown): Condition {
  if (operator === '-not') return { kind: 'not', part: column(name, operand) };
  if (operator === '-and' || operator === '-or') {
    return columnList(name, [operator, ...asList(operand)]);
  }
  const found = comparisons.get(operator);
  if (found === undefined) throw new BadOperator();
  const takesList = found === 'in' || found === 'not_in' || found === 'between' || found === 'not_between';
  if (takesList && !Array.isArray(operand)) throw new Unusable();
  if (found === 'regexp') new RegExp(String(operand), 'u');
  if (Array.isArray(operand) && !takesList) {
    const parts = operand.map((value: unknown) => comparison(name, operator, value));
    return found === '!=' || found === 'not_like' ? allOf(parts) : { kind: 'or', parts };
  }
  return { kind: 'compare', column: name, comparison: found, value: operand };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
