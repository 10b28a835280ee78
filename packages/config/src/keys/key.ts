import * as z from 'zod';
import type { Frozen } from './frozen.ts';

/** Something that prints: text, numbers, lists and mappings, without secrets. */
export type Printable =
  string | number | boolean | null | readonly Printable[] | { readonly [key: string]: Printable };

/**
 * What is known of a key beyond what its schema accepts. Its schema turns what stands in the file into what processes use, and
 * is listed by the model's name of it.
 */
interface KeyFacts<Output> {
  readonly description: string;
  /** What a value must be, for the reference and for errors. */
  readonly allowed: string;
  /** Its name in the file, where that is another one than `fileKey` makes of the model's. */
  readonly name?: string;
  /** What the model has after a problem with the key was reported, so that nothing else is reported for it. Nobody will use it. */
  readonly standIn?: Output;
  /** Entries of a mapping are laid over those of `defaults` one by one. */
  readonly isByEntry?: true;
  /** A value as it would be written in the file, where that is another one than the model's. */
  readonly print?: (value: Output) => Printable;
}

interface Fallback<Input> {
  /** What holds where nothing is said, as it would be written in the file. */
  readonly fallback: Input;
}

interface NoFallback<Output> {
  /** What the model has where the file has nothing. */
  readonly absent: Output;
  /** It is reported then. */
  readonly isRequired?: true;
  /** What the reference says in place of a default. */
  readonly note?: string;
}

export type KeyMeta<Input, Output> = KeyFacts<Output> & (Fallback<Input> | NoFallback<Output>);

/** Keys that are read one by one: a mapping of the file, and what the model makes of all of them together. */
export type Section = z.ZodObject | z.ZodPipe<z.ZodObject, z.ZodTransform>;

/** Reports what is wrong with a key of a section; `allowed` where that is not what the key says itself. */
export type ReportKey<Parts> = (key: keyof Parts & string, problem: string | null, allowed?: string) => void;

export interface SectionMeta<Parts, Output> {
  readonly description: string;
  /** What the reference says of the whole section, after its description. */
  readonly more?: string;
  /** Reports what does not go together. */
  readonly check?: (values: Parts, report: ReportKey<Parts>) => void;
  /** The inverse of the section's transform: the values of its keys. */
  readonly parts?: (value: Output) => { readonly [Key in keyof Parts]?: unknown };
}

type StoredMeta = KeyFacts<unknown> &
  Partial<Fallback<unknown> & NoFallback<unknown>> &
  SectionMeta<Readonly<Record<string, unknown>>, unknown> & { readonly isSection?: true };
const METAS = new WeakMap<z.core.$ZodType, StoredMeta>();

/** Declares a key. The schema that it returns is one of its own: one schema may serve several keys. */
export function key<S extends z.ZodType>(schema: S, meta: KeyMeta<z.input<S>, z.output<S>>): S {
  const own = schema.clone();
  METAS.set(own, meta as StoredMeta);
  return own;
}

/** Declares a section. */
export function section<S extends Section>(
  schema: S,
  meta: SectionMeta<z.output<S extends z.ZodPipe ? S['in'] : S>, Frozen<z.output<S>>>,
): S {
  const stored = { allowed: 'a section of its own, see below', isSection: true, ...meta };
  METAS.set(schema, stored as StoredMeta);
  return schema;
}

/** What was declared of a key or section. */
export function metaOf(schema: z.core.$ZodType): StoredMeta {
  return METAS.get(schema) ?? { description: '', allowed: '' };
}

/** Whether a key of a section is a section itself. */
export function isSection(schema: z.core.$ZodType): schema is Section {
  return METAS.get(schema)?.isSection === true;
}

/** `timeoutMs` of the model is `timeout` in the file, and `copiesPerHour` is `copies_per_hour`. */
const fileKey = (name: string): string =>
  name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Keys = readonly (readonly [model: string, file: string, z.core.$ZodType])[];
// Each of a thousand libraries is read by the same sections.
const KEYS = new WeakMap<Section, Keys>();

/** The keys of a section: their names in the model and in the file, and their schemas. */
export function keysOf(schema: Section): Keys {
  const { shape }: { shape: Readonly<Record<string, z.core.$ZodType>> } =
    schema instanceof z.ZodPipe ? schema.in : schema;
  const keys =
    KEYS.get(schema) ??
    Object.entries(shape).map(([name, inner]) => [name, metaOf(inner).name ?? fileKey(name), inner] as const);
  KEYS.set(schema, keys);
  return keys;
}
