import * as z from 'zod';
import { didYouMean } from '../problems/nearest.ts';
import { type Secret, type SecretKind, UnreadSecret } from '../secrets/secret.ts';
import { durationBetween, formatDuration } from './duration.ts';
import { COPY_FIELDS, FIELD_GROUPS, type CopyField, type FieldGroup } from '@passport/contract';
import { key } from './key.ts';

/** A duration between two others, read into milliseconds. */
export function duration(from: string, to: string, fallback: string, description: string) {
  const allowed = `a duration such as 90s, 15m, 24h or 7d, from ${from} to ${to}`;
  return key(durationBetween(from, to), { description, allowed, fallback, print: formatDuration });
}

export function integer(from: number, to: number, fallback: number, description: string) {
  const allowed = `a whole number from ${from} to ${to}`;
  return key(z.int().min(from).max(to), { description, allowed, fallback });
}

export function words<const Word extends string>(
  known: readonly Word[],
  fallback: NoInfer<Word>,
  description: string,
) {
  const schema: z.ZodType<Word, Word> = z.enum(known);
  return key(schema, { description, allowed: known.join(' or '), fallback });
}

export function flag(fallback: boolean, description: string) {
  return key(z.boolean(), { description, allowed: 'true or false', fallback });
}

/** The name of somebody who logs in, in the file and in the environment. */
export const userName = {
  schema: z.string().regex(/^[^\s:\p{Cc}]{1,64}$/u, { error: 'is no user name' }),
  allowed: '1 to 64 characters without blanks and colons',
};

/** Plain text for people, not blank: nothing in it breaks a line or turns what stands beside it around. */
export function title(meta: { readonly description: string; readonly name?: string }) {
  const schema = z
    .string()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*[^\p{Cc}\s]\P{Cc}*$/u)
    .regex(/^[^\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]*$/u);
  return key(schema, {
    allowed: 'text of 1 to 100 characters, on one line, without bidi controls',
    isRequired: true,
    absent: '',
    ...meta,
  });
}

/** A code of Koha's: category, branch or attribute type. */
export function kohaCode(longest: number) {
  return z.string().regex(new RegExp(`^[^\\s\\p{Cc}](?:[^\\p{Cc}]{0,${longest - 2}}[^\\s\\p{Cc}])?$`, 'u'));
}

/** A list that is empty where nothing stands behind its key. */
export function list<S extends z.ZodType>(element: S, most = Infinity) {
  return z
    .array(element)
    .max(most)
    .nullable()
    .transform((items) => items ?? []);
}

export const SECRET_ALLOWED = '{env: NAME} or {file: PATH}; never the secret itself';

/** Where a secret is to be found: in the environment, or in a file. Secrets are read after all else (read-section.ts). */
export function secretSource(kind: SecretKind) {
  return z
    .union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })])
    .transform((source): Secret<string> => new UnreadSecret(kind, source));
}

/** `HH:MM`, as it stands in the file. */
export const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);

/** A time of day in the time zone of the process. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

export function parseTime(text: string): TimeOfDay {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return { hour, minute };
}

export function printTime({ hour, minute }: TimeOfDay): string {
  return [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
}

const categories = z.array(kohaCode(10));

/** Some patron categories of a Koha. */
export function categoryFilter(description: string) {
  const schema = z
    .union([z.literal('all'), z.strictObject({ only: categories }), z.strictObject({ except: categories })])
    .transform((filter) => {
      if (filter === 'all') return { kind: 'all' } as const;
      return 'only' in filter
        ? ({ kind: 'only', categories: filter.only } as const)
        : ({ kind: 'except', categories: filter.except } as const);
    });
  return key(schema, {
    description,
    allowed: 'all, {only: [CATEGORY, ...]} or {except: [CATEGORY, ...]}',
    fallback: 'all',
    print: (filter) => (filter.kind === 'all' ? 'all' : { [filter.kind]: filter.categories }),
  });
}

const isGroup = (word: string): word is FieldGroup => Object.hasOwn(FIELD_GROUPS, word);
const isField = (word: string): word is CopyField => (COPY_FIELDS as readonly string[]).includes(word);

/** A list of groups and field names, read into the field names in the order of the groups. */
export const fieldNames = z
  .array(
    z.string().transform((word, context): readonly CopyField[] => {
      if (isGroup(word)) return FIELD_GROUPS[word];
      if (isField(word)) return [word];
      const hint = didYouMean(word, [...Object.keys(FIELD_GROUPS), ...COPY_FIELDS]);
      context.addIssue({ code: 'custom', message: `is no group and no field that can be copied${hint}` });
      return [];
    }),
  )
  .transform((lists) => COPY_FIELDS.filter((field) => lists.some((names) => names.includes(field))));

export const FIELDS_ALLOWED = `a list of groups (${Object.keys(FIELD_GROUPS).join(', ')}) or of field names within them`;

/** Groups that are shared and copied where nothing is said. */
export function fieldList(description: string) {
  const fallback = ['name', 'contact', 'address', 'birth', 'choices'];
  return key(fieldNames, { description, allowed: FIELDS_ALLOWED, fallback });
}

/** The schema of a key that may be left out, and is null in the model then. */
export function orLeftOut<Output, Input>(schema: z.ZodType<Output, Input>): z.ZodType<Output | null, Input> {
  return schema;
}
