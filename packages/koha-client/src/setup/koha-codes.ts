import * as z from 'zod';

/** Codes of branches, patron categories and item types: whatever Koha's column of ten characters holds, but nothing invisible. */
export const codeSchema = z.string().regex(/^[^\p{C}]{1,10}$/u);

export function isCode(text: string): boolean {
  return codeSchema.safeParse(text).success;
}

/** A version such as `25.11.00.000`. */
export const versionSchema = z.string().regex(/^\d{1,4}(\.\d{1,7}){0,4}$/);

/** What Koha stores as a lending rule: a number, a word such as `days`, or nothing. */
export const ruleValueSchema = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .pipe(z.string().regex(/^[\w.:-]{0,40}$/));

/** Whether a text can be the code of a patron attribute type. No dot, blank or slash: it is a code, and leads nowhere. */
export function isAttributeTypeCode(text: string): boolean {
  return /^[\p{L}\p{N}_-]{1,64}$/u.test(text);
}
