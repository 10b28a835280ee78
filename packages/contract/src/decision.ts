import * as z from 'zod';
import { type InvalidBody, firstFault, timestamp } from './body-parts.ts';
import { TOO_LATE, ageAtDeliveryMs, isLaterThan } from './event.ts';
import { QUESTIONS, type Question } from './outcome.ts';

/** What staff at the desk have decided of a scan, as the lending library reports it. */
export interface Decision {
  readonly question: Question;
  /** One of the options that were shown: the id of a library, or a reason for an override. */
  readonly option: string;
  /** Where the member of staff is logged in: only the branch of the scan decides. */
  readonly branch: string;
  /** Koha's number of the member of staff. */
  readonly operator: number;
  /** How long ago it was decided when it was delivered, by the sender's own clock; never negative. */
  readonly agoMs: number;
}

/** A decision as a library sends it; its type keeps the signature of any other delivery from passing for one. */
export const scanDecidedSchema = z.looseObject(
  {
    type: z.literal('scan.decided', { error: 'must be scan.decided' }),
    timestamp: timestamp.describe('When it was decided, with offset; at most nanoseconds'),
    data: z.looseObject(
      {
        question: z
          .enum(QUESTIONS, { error: `must be one of ${QUESTIONS.join(', ')}` })
          .describe('What the event waits for: `asks.question` of the state'),
        option: z
          .string({ error: 'must be text' })
          .regex(/^[A-Za-z0-9_-]{1,40}$/, { error: 'must be one of the options of the state' })
          .describe('One of `asks.options` of the state'),
        branch: z
          .string({ error: 'must be text' })
          .min(1, { error: 'must not be empty' })
          .max(10, { error: 'must have at most 10 characters' })
          .describe('Where the member of staff is logged in: the branch of the scan'),
        operator: z
          .int({ error: 'must be an integer' })
          .describe("The lending Koha's number of the member of staff who decides"),
      },
      { error: 'must be an object' },
    ),
  },
  { error: 'must be an object' },
);

export type ParsedDecision = { readonly kind: 'decision'; readonly decision: Decision } | InvalidBody;

/** Reads the parsed JSON of a decision, delivered at this `webhook-timestamp`. An `invalid` result names the field, never its value. */
export function parseDecision(body: unknown, deliveredAtSeconds: number): ParsedDecision {
  const parsed = scanDecidedSchema.safeParse(body);
  if (!parsed.success) return { kind: 'invalid', ...firstFault(parsed.error) };
  const { timestamp: decidedAt, data } = parsed.data;
  if (isLaterThan(decidedAt, deliveredAtSeconds)) return { kind: 'invalid', ...TOO_LATE };
  const { question, option, branch, operator } = data;
  const agoMs = ageAtDeliveryMs(decidedAt, deliveredAtSeconds);
  return { kind: 'decision', decision: { question, option, branch, operator, agoMs } };
}
