import * as z from 'zod';
import { type InvalidBody, firstFault, timestamp } from './body-parts.ts';
import { TOO_LATE, ageAtDeliveryMs, isLaterThan } from './event.ts';

/** What the patron said, as the desk of the lending library reports it. */
export interface ConsentAnswer {
  readonly answer: 'yes' | 'no';
  /** The text that was shown. */
  readonly textId: string;
  /** Koha's number of the member of staff who requested it. */
  readonly operator: number | null;
  /** How long ago it was said when it was delivered, by the sender's own clock; never negative. */
  readonly agoMs: number;
}

/** An id of a text: it stands in receipts. */
export const TEXT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** An answer as a library sends it; its type keeps the signature of any other delivery from passing for one. */
export const consentAnsweredSchema = z.looseObject(
  {
    type: z.literal('consent.answered', { error: 'must be consent.answered' }),
    timestamp: timestamp.describe('When the patron answered, with offset; at most nanoseconds'),
    data: z.looseObject(
      {
        answer: z.enum(['yes', 'no'], { error: 'must be yes or no' }),
        text_id: z
          .string({ error: 'must be text' })
          .regex(TEXT_ID, { error: 'must be the id of a text' })
          .describe('The text that was shown: `consent.text_id` of the state'),
        operator: z
          .int({ error: 'must be an integer' })
          .nullish()
          .describe("The lending Koha's number of the member of staff who requested it"),
      },
      { error: 'must be an object' },
    ),
  },
  { error: 'must be an object' },
);

export type ParsedConsent = { readonly kind: 'answer'; readonly answer: ConsentAnswer } | InvalidBody;

/** Reads the parsed JSON of an answer, delivered at this `webhook-timestamp`. An `invalid` result names the field, never its value. */
export function parseConsent(body: unknown, deliveredAtSeconds: number): ParsedConsent {
  const parsed = consentAnsweredSchema.safeParse(body);
  if (!parsed.success) return { kind: 'invalid', ...firstFault(parsed.error) };
  const { timestamp: saidAt, data } = parsed.data;
  if (isLaterThan(saidAt, deliveredAtSeconds)) return { kind: 'invalid', ...TOO_LATE };
  const { answer, text_id: textId, operator } = data;
  const agoMs = ageAtDeliveryMs(saidAt, deliveredAtSeconds);
  return { kind: 'answer', answer: { answer, textId, operator: operator ?? null, agoMs } };
}
