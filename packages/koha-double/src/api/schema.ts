import type { InputError } from '../answer.ts';
import { isRecord } from '../record.ts';

/** The part of JSON schema that Koha's description uses (Swagger 2.0). */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly format?: 'date' | 'date-time';
  readonly readOnly?: boolean;
  readonly $ref?: string;
}

export type Definitions = Readonly<Record<string, JsonSchema>>;

export const reference = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` });
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

function resolve(schema: JsonSchema, definitions: Definitions): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = definitions[schema.$ref.slice('#/definitions/'.length)];
  if (found === undefined) throw new Error(`no definition ${schema.$ref}`);
  return found;
}

const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/;
const dateTimePattern = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?$/;

interface Coerced {
  readonly value: unknown;
}

/** A checked value: converted where Koha converts, or the complaints in the words of Koha's validator. */
interface Checked extends Coerced {
  readonly errors: readonly InputError[];
}

/** By what a value is checked: only a request may not hold what is read-only. */
interface Rules {
  readonly definitions: Definitions;
  readonly of: 'request' | 'answer';
}

/** Checks a value against a schema as JSON::Validator does, coercing booleans and numbers from text, and text from numbers. */
export function checkValue(value: unknown, schema: JsonSchema, path: string, rules: Rules): Checked {
  const resolved = resolve(schema, rules.definitions);
  const fitted = fitType(value, resolved);
  if (fitted === undefined) {
    const wanted = typeNames(resolved).join('/');
    return { value, errors: [{ path, message: `Expected ${wanted} - got ${typeName(value)}.` }] };
  }
  if (Array.isArray(fitted.value)) return checkList(fitted.value, resolved, path, rules);
  if (isRecord(fitted.value)) return checkObject(fitted.value, resolved, path, rules);
  return {
    value: fitted.value,
    errors: checkScalar(fitted.value, resolved, path),
  };
}

export const isDate = (text: string): boolean => dateComplaint(text) === null;

/** What JSON::Validator says of a date (`JSON/Validator/Formats.pm`, `check_date`); null where it is one. */
function dateComplaint(text: string): string | null {
  const [, year = '', month = '', day = ''] = datePattern.exec(text) ?? [];
  if (year === '') return 'Does not match date format.';
  if (Number(month) < 1 || Number(month) > 12) return 'Month out of range.';
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCDate() === Number(day) ? null : 'Day out of range.';
}

function checkScalar(value: unknown, schema: JsonSchema, path: string): InputError[] {
  const errors: InputError[] = [];
  const complain = (message: string): number => errors.push({ path, message });
  if (schema.enum !== undefined && !schema.enum.includes(String(value))) {
    complain(`Not in enum list: ${schema.enum.join(', ')}.`);
  }
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    if (value > maximum) complain(`${value} > maximum(${maximum})`);
    if (value < minimum) complain(`${value} < minimum(${minimum})`);
  }
  if (typeof value !== 'string') return errors;
  // Every text of every answer comes here: its characters are counted only where they may be too many or too few.
  const { maxLength = Infinity, minLength = 0 } = schema;
  const length = value.length > maxLength || minLength > 0 ? [...value].length : value.length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    complain(`String is too long: ${length}/${schema.maxLength}.`);
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    complain(`String is too short: ${length}/${schema.minLength}.`);
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    complain(`String does not match ${schema.pattern}.`);
  }
  const dateProblem = schema.format === 'date' ? dateComplaint(value) : null;
  if (dateProblem !== null) complain(dateProblem);
  if (schema.format === 'date-time' && !isDateTime(value)) complain('Does not match date-time format.');
  return errors;
}

function checkList(list: readonly unknown[], schema: JsonSchema, path: string, rules: Rules): Checked {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  const errors: InputError[] = [];
  if (list.length > maxItems) errors.push({ path, message: `Too many items: ${list.length}/${maxItems}.` });
  if (list.length < minItems) errors.push({ path, message: `Not enough items: ${list.length}/${minItems}.` });
  if (items === undefined) return { value: list, errors };
  const checked = list.map((entry, index) => checkValue(entry, items, `${path}/${index}`, rules));
  errors.push(...checked.flatMap((entry) => entry.errors));
  return { value: checked.map((entry) => entry.value), errors };
}

function checkObject(
  object: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
  path: string,
  rules: Rules,
): Checked {
  const properties = schema.properties ?? {};
  const errors: InputError[] = (schema.required ?? [])
    .filter((name) => !Object.hasOwn(object, name))
    .map((name) => ({ path: `${path}/${name}`, message: 'Missing property.' }));
  const unknown =
    schema.additionalProperties === false
      ? Object.keys(object).filter((name) => !Object.hasOwn(properties, name))
      : [];
  if (unknown.length > 0) {
    errors.push({ path, message: `Properties not allowed: ${unknown.sort().join(', ')}.` });
  }
  const count = Object.keys(object).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    errors.push({ path, message: `Too many properties: ${count}/${schema.maxProperties}.` });
  }
  const others = isRecord(schema.additionalProperties) ? schema.additionalProperties : undefined;
  const coerced: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(object)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : others;
    if (property === undefined) continue;
    if (property.readOnly === true && rules.of === 'request')
      errors.push({ path: `${path}/${name}`, message: 'Read-only.' });
    const checked = checkValue(given, property, `${path}/${name}`, rules);
    errors.push(...checked.errors);
    if (checked.value !== given) coerced[name] = checked.value;
  }
  return { value: { ...object, ...coerced }, errors };
}

function fitType(value: unknown, schema: JsonSchema): Coerced | undefined {
  const types = typeNames(schema);
  if (types.length === 0) return { value };
  const exact = typeName(value);
  if (types.includes(exact) || (exact === 'integer' && types.includes('number'))) return { value };
  for (const type of types) {
    const coerced = coerce(value, type);
    if (coerced !== undefined) return coerced;
  }
  return undefined;
}

function coerce(value: unknown, type: string): Coerced | undefined {
  switch (type) {
    case 'boolean':
      if (value === 0 || value === '0' || value === 'false') return { value: false };
      return value === 1 || value === '1' || value === 'true' ? { value: true } : undefined;
    case 'integer':
      return typeof value === 'string' && /^-?\d+$/.test(value) ? { value: Number(value) } : undefined;
    case 'string':
      return typeof value === 'number' ? { value: String(value) } : undefined;
    case 'number':
      return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
        ? { value: Number(value) }
        : undefined;
    default:
      return undefined;
  }
}

function typeNames(schema: JsonSchema): readonly string[] {
  if (schema.type === undefined) return [];
  return typeof schema.type === 'string' ? [schema.type] : schema.type;
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function isDateTime(text: string): boolean {
  const [, day = ''] = dateTimePattern.exec(text) ?? [];
  return isDate(day);
}
