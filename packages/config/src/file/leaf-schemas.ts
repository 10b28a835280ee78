import * as z from 'zod';
import { formatDuration, parseDuration } from './duration.ts';
import { COPY_FIELDS, FIELD_GROUPS, type CopyField, type FieldGroup } from './field-groups.ts';
import { nearest } from '../problems/nearest.ts';

/** A duration between two others, read into milliseconds. */
export function duration(from: string, to: string, description: string) {
  const allowed = `a duration such as 90s, 15m, 24h or 7d, from ${from} to ${to}`;
  const least = parseDuration(from) ?? 0;
  const most = parseDuration(to) ?? 0;
  return z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms === null) context.addIssue({ code: 'custom', message: 'is not a duration' });
      else if (ms < least || ms > most) {
        context.addIssue({ code: 'custom', message: `is ${formatDuration(ms)}, out of bounds` });
      }
      return ms ?? least;
    })
    .meta({ description, allowed });
}

export function integer(from: number, to: number, description: string) {
  return z
    .int()
    .min(from)
    .max(to)
    .meta({ description, allowed: `a whole number from ${from} to ${to}` });
}

export function integerOrAuto(from: number, to: number, description: string) {
  return z
    .union([z.literal('auto'), z.int().min(from).max(to)])
    .meta({ description, allowed: `auto, or a whole number from ${from} to ${to}` });
}

export function words<const W extends readonly [string, ...string[]]>(known: W, description: string) {
  return z.enum(known).meta({ description, allowed: known.join(' or ') });
}

export function flag(description: string) {
  return z.boolean().meta({ description, allowed: 'true or false' });
}

/** Plain text for people: no control characters, not blank. */
export function title(description: string) {
  return z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u)
    .meta({ description, allowed: 'text of 1 to 100 characters' });
}

/** A code of Koha's: category, branch or attribute type. */
export function kohaCode(longest: number) {
  return z.string().regex(new RegExp(`^[^\\s\\p{Cc}](?:[^\\p{Cc}]{0,${longest - 2}}[^\\s\\p{Cc}])?$`, 'u'));
}

const isGroup = (word: string): word is FieldGroup => Object.hasOwn(FIELD_GROUPS, word);
const isField = (word: string): word is CopyField => (COPY_FIELDS as readonly string[]).includes(word);

/** A list of groups and field names, read into the field names in the order of the groups. */
export function fieldList(description: string) {
  return z
    .array(
      z.string().transform((word, context): readonly CopyField[] => {
        if (isGroup(word)) return FIELD_GROUPS[word];
        if (isField(word)) return [word];
        const meant = nearest(word, [...Object.keys(FIELD_GROUPS), ...COPY_FIELDS]);
        context.addIssue({
          code: 'custom',
          message: `is no group and no field that can be copied${meant === null ? '' : `, did you mean ${meant}?`}`,
        });
        return [];
      }),
    )
    .transform((lists) => COPY_FIELDS.filter((field) => lists.some((list) => list.includes(field))))
    .meta({
      description,
      allowed: `a list of groups (${Object.keys(FIELD_GROUPS).join(', ')}) or of field names within them`,
    });
}
