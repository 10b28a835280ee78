import * as z from 'zod';
import { COPY_FIELDS, SET_ONLY_FIELDS } from './field-groups.ts';
import { nearest } from '../problems/nearest.ts';

const SETTABLE: readonly string[] = [...COPY_FIELDS, ...SET_ONLY_FIELDS];

// Koha's own limits where it has one; text columns are longer than any value a person would fix here.
const LONGEST: Readonly<Record<string, number>> = {
  statistics_1: 80,
  statistics_2: 80,
  lang: 25,
  gender: 1,
  sms_number: 50,
};
const LONGEST_OTHER = 255;

function faultOf(field: string, value: string | null): string | null {
  if (!SETTABLE.includes(field)) {
    const meant = nearest(field, SETTABLE);
    return `is no field that can be set${meant === null ? '' : `, did you mean ${meant}?`}`;
  }
  const longest = LONGEST[field] ?? LONGEST_OTHER;
  if (value === null) return null;
  if (Array.from(value).length > longest) return `is longer than Koha's ${longest} characters`;
  if (field === 'date_of_birth' && !z.iso.date().safeParse(value).success)
    return 'is not a date such as 2001-12-31';
  return null;
}

/** Fixed values by field; null takes back one that `defaults` gives. */
export const fixedValues = z
  .record(z.string(), z.string().nullable())
  .superRefine((values, context) => {
    for (const [field, value] of Object.entries(values)) {
      const fault = faultOf(field, value);
      if (fault !== null) context.addIssue({ code: 'custom', path: [field], message: fault });
    }
  })
  .meta({
    description:
      "Fixed values of the copies, instead of the home library's. Null removes a value that `defaults` sets.",
    allowed: `{FIELD: text or null} with a field of the groups or ${SET_ONLY_FIELDS.join(', ')}`,
  });
