import * as z from 'zod';
import { didYouMean } from './nearest.ts';
import type { Path, ProblemList } from './config-error.ts';

/** Kinds of values, by the names that zod and `typeof` have for them. */
const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'empty';
  return KINDS[Array.isArray(value) ? 'array' : typeof value] ?? 'that';
};

/** The schema of the place that `path` leads to. */
function schemaAt(schema: unknown, path: readonly PropertyKey[]): unknown {
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional)
    return schemaAt(schema.unwrap(), path);
  if (schema instanceof z.ZodPipe) return schemaAt(schema.in, path);
  const [step, ...others] = path;
  if (step === undefined) return schema;
  if (schema instanceof z.ZodArray) return schemaAt(schema.element, others);
  if (schema instanceof z.ZodRecord) return schemaAt(schema.valueType, others);
  if (schema instanceof z.ZodObject) return schemaAt(schema.shape[String(step)], others);
  return undefined;
}

const keysOf = (schema: unknown): string[] => {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(keysOf);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};

function describe(issue: z.core.$ZodIssue, allowed = ''): string {
  const value = issue.input;
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return 'is missing';
      if (typeof value === 'number' && allowed.startsWith('a duration')) return 'is a number without a unit';
      return typeof value === 'number' && issue.expected === 'string'
        ? 'must be text, not a number: put it in quotes'
        : `must be ${KINDS[issue.expected] ?? issue.expected}, not ${kindOf(value)}`;
    case 'invalid_value':
      return value === undefined ? 'is missing' : 'is none of the allowed words';
    case 'too_small':
      return issue.origin === 'string' ? 'is too short' : 'is too small';
    case 'too_big':
      return issue.origin === 'string' ? 'is too long' : 'is too large';
    case 'invalid_key':
      return 'has a key that does not fit';
    case 'custom':
      return issue.message;
    default:
      return 'does not fit';
  }
}

// A key that was typed where a value belongs could be the secret itself.
const printable = (key: string) => /^[A-Za-z][\w-]{0,39}$/.test(key) && !key.startsWith('whsec');

/** Names each key that is not known, with the known one it was probably meant to be. */
export function reportUnknownKeys(
  keys: readonly string[],
  known: readonly string[],
  at: Path,
  problems: ProblemList,
): void {
  for (const key of keys) {
    const what = printable(key) ? 'is not a known key' : 'has a key that is not known';
    const place = printable(key) ? [...at, key] : at;
    problems.add(place, `${what}${didYouMean(key, known)}`, `known here: ${known.join(', ')}`);
  }
}

// Of the shapes a value may have, the one it was meant to have: the only one whose kind is right.
function intendedBranch(issue: z.core.$ZodIssueInvalidUnion): number | null {
  const fitting = issue.errors.flatMap((errors, branch) =>
    errors.some((error) => error.path.length === 0 && isOtherKind(error, issue.input)) ? [] : [branch],
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** A number that is not whole is still meant as a number. */
function isOtherKind(error: z.core.$ZodIssue, input: unknown): boolean {
  if (error.code === 'invalid_type') return !(error.expected === 'int' && typeof input === 'number');
  return error.code === 'invalid_value';
}

/**
 * Reports zod's issues with the value at `at` as problems: what is wrong, never with the value. They must come from a
 * parse with `reportInput`.
 */
export function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  { schema, at, allowed }: { schema: unknown; at: Path; allowed: string | undefined },
  problems: ProblemList,
): void {
  for (const issue of issues) {
    const place = [...at, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    const here = schemaAt(schema, issue.path);
    const branch = issue.code === 'invalid_union' ? intendedBranch(issue) : null;
    if (issue.code === 'unrecognized_keys') reportUnknownKeys(issue.keys, keysOf(here), place, problems);
    else if (issue.code === 'invalid_union' && here instanceof z.ZodUnion && branch !== null) {
      const intended = { schema: here.options[branch], at: place, allowed };
      reportIssues(issue.errors[branch] ?? [], intended, problems);
    } else problems.add(place, describe(issue, allowed), allowed);
  }
}
