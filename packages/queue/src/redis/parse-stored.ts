import type * as z from 'zod';

/** What a text says as JSON; null where it is none, or where there is no text. */
export function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

/** What a text in Redis says; null where there is none, or where it is damaged or of a version that writes otherwise. */
export function parseStored<T>(schema: z.ZodType<T>, text: string | null): T | null {
  return schema.safeParse(readJson(text)).data ?? null;
}

/** The fields of a hash in Redis, without those that cannot be read. */
export function parseFields<T>(
  schema: z.ZodType<T>,
  fields: Readonly<Record<string, string>>,
): ReadonlyMap<string, T> {
  const parsed = Object.entries(fields).map(([name, text]) => [name, parseStored(schema, text)] as const);
  return new Map(parsed.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}
