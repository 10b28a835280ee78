import * as z from 'zod';
import type { Path, ProblemList } from '../problems/config-error.ts';
import { reportIssues, reportUnknownKeys } from '../problems/zod-problems.ts';
import { isSection, keysOf, metaOf, type Section } from '../keys/key.ts';
import type { SecretReader } from '../secrets/secret-reader.ts';
import { UnreadSecret } from '../secrets/secret.ts';

export interface Reading {
  readonly problems: ProblemList;
  readonly secrets: SecretReader;
}

type Mapping = Readonly<Record<string, unknown>>;

/** What one place of the file says of a section. */
export interface Layer {
  /** As it stands there; null where it is no mapping, which is reported. */
  readonly raw: Mapping | null;
  /** The keys that are there and right, by their names in the model; of a key that is a section, its layer. */
  readonly values: Mapping;
}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads each key of a section on its own, so that a fault in one hides none in another. An empty mapping (`retry:` and nothing behind
 * it) has none.
 */
export function readLayer(section: Section, written: unknown, at: Path, problems: ProblemList): Layer {
  const keys = keysOf(section);
  const known = keys.map(([, name]) => name);
  const raw = isMapping(written ?? {}) ? ((written ?? {}) as Mapping) : null;
  if (raw === null)
    problems.add(at, 'must be a mapping of keys and values', `known here: ${known.join(', ')}`);
  const unknown = Object.keys(raw ?? {}).filter((name) => !known.includes(name));
  reportUnknownKeys(unknown, known, at, problems);
  const values: Record<string, unknown> = {};
  for (const [key, name, schema] of keys) {
    const value = raw?.[name];
    if (isSection(schema)) {
      const layer = readLayer(schema, value, [...at, name], problems);
      values[key] = raw === null ? { ...layer, raw } : layer;
    } else if (value !== undefined) {
      const result = z.safeParse(schema, value, { reportInput: true });
      const { allowed, standIn } = metaOf(schema);
      if (result.success) values[key] = result.data;
      else if (standIn !== undefined) values[key] = standIn;
      if (!result.success)
        reportIssues(result.error.issues, { schema, at: [...at, name], allowed }, problems);
    }
  }
  return { raw, values };
}

/** What holds where no layer of the file says anything. */
export function builtInLayer(section: Section): Layer {
  const values = keysOf(section).map(([key, , schema]): [string, unknown] => {
    if (isSection(schema)) return [key, builtInLayer(schema)];
    const { fallback, absent } = metaOf(schema);
    return [key, fallback === undefined ? absent : z.parse(schema, fallback)];
  });
  return { raw: {}, values: Object.fromEntries(values) };
}

/** The value with its secrets read, in lists too. */
function withSecrets(value: unknown, at: Path, secrets: SecretReader): unknown {
  if (value instanceof UnreadSecret) return secrets.read(value, at);
  return Array.isArray(value) && value.some((item) => item instanceof UnreadSecret)
    ? value.map((item, place) => withSecrets(item, [...at, place], secrets))
    : value;
}

/**
 * A section as it holds: of each key what the last layer says that has it, with secrets read. Reports what is missing or does not go
 * together; the value is not to be used then.
 */
export function mergeLayers<S extends Section>(
  section: S,
  layers: readonly Layer[],
  at: Path,
  reading: Reading,
): z.output<S> {
  const merged = keysOf(section).map(([key, name, schema]): [string, unknown] => {
    const place = [...at, name];
    const found = layers.filter(({ values }) => key in values).map(({ values }) => values[key]);
    if (isSection(schema)) return [key, mergeLayers(schema, found as Layer[], place, reading)];
    const { allowed, isRequired = false, isByEntry = false } = metaOf(schema);
    if (isRequired && layers.every(({ raw }) => raw !== null && raw[name] === undefined)) {
      reading.problems.add(place, 'is missing', allowed);
    }
    return [key, isByEntry ? Object.assign({}, ...found) : withSecrets(found.at(-1), place, reading.secrets)];
  });
  // Each value came out of the schema of its own key; the compiler cannot follow that through Object.entries.
  const values = Object.fromEntries(merged);
  metaOf(section).check?.(values, (key, problem, allowed) => {
    const [, name, schema] = keysOf(section).find(([own]) => own === key) ?? [];
    if (problem === null || name === undefined || schema === undefined) return;
    const place = [...at, name];
    // What cannot be read is not missing as well.
    if (!reading.problems.isAt(place))
      reading.problems.add(place, problem, allowed ?? metaOf(schema).allowed);
  });
  return (section instanceof z.ZodPipe ? z.parse(section.out, values) : values) as z.output<S>;
}

/** Reads an entry of the file that has one layer only. */
export function readEntry<S extends Section>(
  section: S,
  raw: unknown,
  at: Path,
  reading: Reading,
): z.output<S> {
  const own = readLayer(section, raw, at, reading.problems);
  return mergeLayers(section, [builtInLayer(section), own], at, reading);
}
