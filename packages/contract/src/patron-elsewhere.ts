import * as z from 'zod';
import { type InvalidBody, firstFault, timestamp } from './body-parts.ts';

/** So many lending libraries are named in one answer: the plugin reads 64 KiB. */
export const MOST_LISTED_COPIES = 50;

/** How a home library requests where one of its own patrons has copies; its type keeps the signature of any other delivery from passing for one. */
export const elsewhereRequestedSchema = z.looseObject(
  {
    type: z.literal('patron.elsewhere_requested', { error: 'must be patron.elsewhere_requested' }),
    timestamp: timestamp.describe('When it was requested, with offset; at most nanoseconds'),
    data: z.looseObject(
      {
        patron_id: z
          .int({ error: 'must be a whole number' })
          .positive({ error: 'must be positive' })
          .describe("Koha's number of the patron at the library that asks"),
      },
      { error: 'must be an object' },
    ),
  },
  { error: 'must be an object' },
);

export type ParsedElsewhereRequest = { readonly kind: 'request'; readonly patronId: number } | InvalidBody;

/** Reads the parsed JSON of such a request. An `invalid` result names the field, never its value. */
export function parseElsewhereRequest(body: unknown): ParsedElsewhereRequest {
  const parsed = elsewhereRequestedSchema.safeParse(body);
  if (parsed.success) return { kind: 'request', patronId: parsed.data.data.patron_id };
  return { kind: 'invalid', ...firstFault(parsed.error) };
}

const count = z.int().nonnegative();
const moment = z.iso.datetime().nullable();

/** Where one patron of a home library has copies on record. No name, and no value of a field. */
export const patronElsewhereSchema = z.strictObject({
  patron_id: z.int().positive(),
  copies: z
    .array(
      z.strictObject({
        library: z.strictObject({ id: z.string(), name: z.string() }),
        /** Null where that is not known. */
        since: moment,
        last_passed_on: moment,
        /** Koha's names of all fields that went there. */
        fields: z.array(z.string()),
        /** As it was read last; null where the lending library does not say. The amount is in hundredths of its currency. */
        owed: z.strictObject({ overdues: count, amount: count, read_at: z.iso.datetime() }).nullable(),
      }),
    )
    .max(MOST_LISTED_COPIES),
});
export type PatronElsewhere = z.infer<typeof patronElsewhereSchema>;
