import * as z from 'zod';
import { QUESTIONS, type Question } from './outcome.ts';
import { type Fault, type InvalidBody, firstFault, timestamp } from './body-parts.ts';

/** Where in Koha the card was scanned; `test`: somebody tries a card, and nothing is written for it at any library. */
export const SCAN_INTERFACES = ['staff', 'self_check', 'sip', 'api', 'test'] as const;
export type ScanInterface = (typeof SCAN_INTERFACES)[number];

/** What a library reports when its Koha does not know a card that was scanned for a checkout. */
export interface PatronNotFound {
  /** Trimmed, as scanned. */
  readonly cardnumber: string;
  readonly branch: string;
  /** The item that waits to be checked out by the service; null when the sender goes on with the checkout itself. */
  readonly itemBarcode: string | null;
  readonly interface: ScanInterface;
  /** Koha's number of the staff member at the desk. */
  readonly operator: number | null;
  /** The questions about the scan that the staff member can be asked. */
  readonly decides: readonly Question[];
  /** An opaque name of the desk; two desks share no event, so that neither cancels the other's. */
  readonly desk: string | null;
  /** When the card was scanned, as the sender wrote it: its own clock, its own offset. */
  readonly scannedAt: string;
}

export type ParsedEvent =
  | { readonly kind: 'patron.not_found'; readonly event: PatronNotFound }
  | { readonly kind: 'patron.seen'; readonly patronId: number }
  | { readonly kind: 'passport.test' }
  | { readonly kind: 'ignored' }
  | InvalidBody;

/** The scan may lie this much after `webhook-timestamp`, in seconds: two clocks of one sender. */
export const SCAN_AFTER_DELIVERY_SECONDS = 300;

/** How long the id of an event is remembered. Standard Webhooks senders give up well before. */
export const REMEMBERED_HOURS = 80;
/** The longest that an ended event may be kept. */
export const LONGEST_KEPT_DAYS = 90;

const hasControlCharacter = (text: string): boolean => /\p{Cc}/u.test(text);

/** JSON Schema cannot show what a refinement wants: `meta` says it there. */
const line = (longest: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => text.isWellFormed(), { error: 'must be valid Unicode', abort: true })
    .refine((text) => !hasControlCharacter(text), {
      error: 'must not hold control characters',
      abort: true,
    })
    .transform((text) => text.trim())
    .refine((text) => text !== '' && [...text].length <= longest, {
      error: `must have 1 to ${longest} characters`,
    })
    .meta({ minLength: 1, maxLength: longest });

const envelope = z.looseObject(
  {
    type: z.string({ error: 'must be text' }).meta({
      description:
        'patron.not_found; patron.seen; passport.test is answered and not queued; any other is ignored',
      examples: ['patron.not_found', 'patron.seen', 'passport.test'],
    }),
  },
  { error: 'must be an object' },
);

const scanTimestamp = timestamp.describe('When the card was scanned, with offset; at most nanoseconds');

/** A scan as a library sends it. The receiver's OpenAPI description is made from it. */
export const patronNotFoundSchema = envelope.extend({
  timestamp: scanTimestamp,
  data: z.looseObject(
    {
      cardnumber: line(32),
      branch: line(10),
      item_barcode: line(64)
        .nullish()
        .describe('The item that waits to be checked out; never from a sender that checks it out itself'),
      interface: z.enum(SCAN_INTERFACES, { error: `must be one of ${SCAN_INTERFACES.join(', ')}` }),
      operator: z.int({ error: 'must be an integer' }).nullish(),
      desk: line(64)
        .nullish()
        .describe(
          'An opaque name of the desk: scans of one card and item are a double scan at one desk only',
        ),
      decides: z
        .array(z.string({ error: 'must be text' }), { error: 'must be a list' })
        .max(10, { error: 'must have at most 10 entries' })
        .nullish()
        .describe(
          `The questions that the member of staff can be asked: ${QUESTIONS.join(', ')}; an event waits for no other`,
        ),
    },
    { error: 'must be an object' },
  ),
});

/** A scan of a copy: the library's own number of it, and nothing else of the patron. */
export const patronSeenSchema = envelope.extend({
  type: z.literal('patron.seen'),
  timestamp: scanTimestamp,
  data: z.looseObject(
    {
      patron_id: z
        .int({ error: 'must be an integer' })
        .positive({ error: 'must be greater than 0' })
        .describe("The lending Koha's number of the copy"),
    },
    { error: 'must be an object' },
  ),
});

/** What cancels an event: its id is the `webhook-id`, and nothing of the scan is said again. */
export const scanCancelledSchema = envelope.extend({
  type: z.literal('scan.cancelled', { error: 'must be scan.cancelled' }),
  timestamp: timestamp.describe('When it was cancelled, with offset; at most nanoseconds'),
});

/** Reads the parsed JSON of a cancel. Null: it is one; otherwise the field that does not fit, never its value. */
export function findCancelFault(body: unknown): Fault | null {
  const parsed = scanCancelledSchema.safeParse(body);
  return parsed.success ? null : firstFault(parsed.error);
}

const invalid = (error: z.ZodError): InvalidBody => ({ kind: 'invalid', ...firstFault(error) });

/** Whether a time lies further after its delivery than two clocks of one sender may differ. */
export const isLaterThan = (scannedAt: string, deliveredAtSeconds: number): boolean =>
  Date.parse(scannedAt) > (deliveredAtSeconds + SCAN_AFTER_DELIVERY_SECONDS) * 1000;

export const TOO_LATE = {
  field: 'timestamp',
  problem: `must not be more than ${SCAN_AFTER_DELIVERY_SECONDS} s after webhook-timestamp`,
};

function parseSeen(body: unknown, deliveredAtSeconds: number): ParsedEvent {
  const seen = patronSeenSchema.safeParse(body);
  if (!seen.success) return invalid(seen.error);
  if (isLaterThan(seen.data.timestamp, deliveredAtSeconds)) return { kind: 'invalid', ...TOO_LATE };
  return { kind: 'patron.seen', patronId: seen.data.data.patron_id };
}

/**
 * Reads the parsed JSON of a delivery (docs/integrating.md). Unknown keys are ignored, since an event may grow.
 * `deliveredAtSeconds` is the delivery's `webhook-timestamp`. An `invalid` result names the field, never its value.
 */
export function parseEvent(body: unknown, deliveredAtSeconds: number): ParsedEvent {
  const outer = envelope.safeParse(body);
  if (!outer.success) return invalid(outer.error);
  if (outer.data.type === 'passport.test') return { kind: 'passport.test' };
  if (outer.data.type === 'patron.seen') return parseSeen(body, deliveredAtSeconds);
  if (outer.data.type !== 'patron.not_found') return { kind: 'ignored' };

  const inner = patronNotFoundSchema.safeParse(body);
  if (!inner.success) return invalid(inner.error);
  const { timestamp: scannedAt, data } = inner.data;
  if (isLaterThan(scannedAt, deliveredAtSeconds)) return { kind: 'invalid', ...TOO_LATE };
  return {
    kind: 'patron.not_found',
    event: {
      cardnumber: data.cardnumber,
      branch: data.branch,
      itemBarcode: data.interface === 'test' ? null : (data.item_barcode ?? null),
      interface: data.interface,
      operator: data.operator ?? null,
      decides: QUESTIONS.filter((question) => data.decides?.includes(question) === true),
      desk: data.desk ?? null,
      scannedAt,
    },
  };
}

/**
 * How old the scan was when it was delivered, in milliseconds, by the sender's clock alone, so that a wrong clock
 * there does no harm. Never negative: a scan "in the future" must not make a checkout possible for longer.
 */
export function ageAtDeliveryMs(scannedAt: string, deliveredAtSeconds: number): number {
  return Math.max(0, deliveredAtSeconds * 1000 - Date.parse(scannedAt));
}

/** The calendar day of the scan (`YYYY-MM-DD`) where the scan was made: the date of the timestamp at its own offset. */
export function dayOfScan(scannedAt: string): string {
  return scannedAt.slice(0, 10);
}
