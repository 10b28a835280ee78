import * as z from 'zod';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { reportIssues, reportUnknownKeys } from '../problems/zod-problems.ts';

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** What `meta` says of a key's schema. */
export function metaOf(schema: z.core.$ZodType): {
  description: string | undefined;
  allowed: string | undefined;
} {
  const meta = z.globalRegistry.get(schema);
  return { description: text(meta?.['description']), allowed: text(meta?.['allowed']) };
}

/** Whether `value` is a mapping of the file. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reports each of `keys` that a mapping lacks. An empty one lacks them all; what is no mapping is reported elsewhere. */
export function reportMissing(
  raw: unknown,
  keys: readonly string[],
  schema: z.ZodObject<z.ZodRawShape>,
  at: Path,
  problems: ProblemList,
): void {
  const mapping = raw ?? {};
  if (!isMapping(mapping)) return;
  for (const key of keys) {
    const keySchema = schema.shape[key];
    const allowed = keySchema === undefined ? undefined : metaOf(keySchema).allowed;
    if (mapping[key] === undefined) problems.add([...at, key], 'is missing', allowed);
  }
}

/**
 * Reads the keys of one mapping, each on its own, so that a fault in one hides none in another. Returns the keys that are there and
 * right; an empty mapping (`retry:` and nothing behind it) has none.
 */
export function readSection<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  raw: unknown,
  at: Path,
  problems: ProblemList,
): Partial<z.output<z.ZodObject<S>>> {
  if (raw === undefined || raw === null) return {};
  if (!isMapping(raw)) {
    problems.add(
      at,
      'must be a mapping of keys and values',
      `known here: ${Object.keys(schema.shape).join(', ')}`,
    );
    return {};
  }
  const known = Object.keys(schema.shape);
  reportUnknownKeys(
    Object.keys(raw).filter((key) => !known.includes(key)),
    known,
    at,
    problems,
  );
  const read: [string, unknown][] = [];
  for (const [key, keySchema] of Object.entries(schema.shape)) {
    if (raw[key] === undefined) continue;
    const result = z.safeParse(keySchema, raw[key], { reportInput: true });
    if (result.success) read.push([key, result.data]);
    else {
      const context = {
        schema: keySchema,
        at: [...at, key],
        allowed: metaOf(keySchema).allowed,
      };
      reportIssues(result.error.issues, context, problems);
    }
  }
  // Each entry came out of the schema of its own key; the compiler cannot follow that through Object.entries.
  return Object.fromEntries(read) as Partial<z.output<z.ZodObject<S>>>;
}
