import type { JsonSchema } from './api/schema.ts';
import { isFrom, type Release } from './release.ts';

/** One column of a table, as the API and the database know it. */
export interface Field {
  readonly name: string;
  /** Its name in the database. */
  readonly column: string;
  readonly kind: 'text' | 'date' | 'date-time' | 'boolean' | 'integer' | 'number';
  readonly nullable: boolean;
  /** Its width in the database, in characters or in bytes. */
  readonly chars?: number;
  readonly bytes?: number;
  /** `maxLength` of the description, from 25.11 on. */
  readonly maxLength?: number;
  readonly since?: Release;
  /** Lists take no simple filter of this name. */
  readonly filter?: false;
}

const fieldOf =
  (kind: Field['kind'], nullable = true) =>
  (name: string, column = name, extra: Partial<Field> = {}): Field => ({
    name,
    column,
    kind,
    nullable,
    ...extra,
  });

export const text = fieldOf('text');
export const day = fieldOf('date');
export const moment = fieldOf('date-time');
export const integer = fieldOf('integer');
export const number = fieldOf('number');
export const flag = fieldOf('boolean', false);

/** The columns of a table, and what follows from them. */
export interface FieldTable {
  readonly fields: readonly Field[];
  /** By the name in the API. */
  readonly byName: ReadonlyMap<string, Field>;
  /** The name in the API of a column that is called so in the API or in the database; undefined where there is none. */
  nameOf(name: string): string | undefined;
  fieldsOf(release: Release): readonly Field[];
  /** The properties of the description of a release. */
  properties(release: Release): Record<string, JsonSchema>;
}

export function buildFieldTable(fields: readonly Field[]): FieldTable {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const names = new Map(fields.map((field) => [field.column, field.name]));
  const byRelease = new Map<Release, readonly Field[]>();
  const fieldsOf = (release: Release): readonly Field[] => {
    const known = byRelease.get(release);
    if (known !== undefined) return known;
    const found = fields.filter(({ since }) => since === undefined || isFrom(release, since));
    byRelease.set(release, found);
    return found;
  };
  return {
    fields,
    byName,
    nameOf: (name) => names.get(name) ?? (byName.has(name) ? name : undefined),
    fieldsOf,
    properties: (release) =>
      Object.fromEntries(fieldsOf(release).map((field) => [field.name, schemaOf(field, release)])),
  };
}

function schemaOf({ kind, nullable, maxLength }: Field, release: Release): JsonSchema {
  const type = kind === 'boolean' || kind === 'integer' || kind === 'number' ? kind : 'string';
  return {
    type: nullable ? [type, 'null'] : type,
    ...(kind === 'date' || kind === 'date-time' ? { format: kind } : {}),
    ...(maxLength !== undefined && isFrom(release, '25.11') ? { maxLength } : {}),
  };
}

/** Whether a text is too long for its column. */
export function overflows(value: string, { chars, bytes }: Pick<Field, 'chars' | 'bytes'>): boolean {
  if (chars !== undefined) return value.length > chars && [...value].length > chars;
  return bytes !== undefined && Buffer.byteLength(value) > bytes;
}

/** A text as a database without strict modes stores it: cut between characters where it is too long, without a word. */
export function cutText(value: string, width: Pick<Field, 'chars' | 'bytes'>): string {
  if (!overflows(value, width)) return value;
  if (width.chars !== undefined) return [...value].slice(0, width.chars).join('');
  return new TextDecoder('utf-8').decode(Buffer.from(value).subarray(0, width.bytes), { stream: true });
}
