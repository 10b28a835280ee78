import * as z from 'zod';
import { type InvalidBody, firstFault, timestamp } from './body-parts.ts';
import { OPEN_FINDINGS, type OpenFindingCode } from './open-finding.ts';
import { OUTCOMES, PROBLEMS, REASONS } from './outcome.ts';

/** Failed events that one answer lists, the newest first. */
export const MOST_LISTED_FAILURES = 10;
/** Findings of copies that one answer lists, the latest first. */
export const MOST_LISTED_FINDINGS = 25;
/** As many patterns as the plugin takes. */
export const MOST_LISTED_PARTNERS = 50;
/** The longest time that outcomes are counted over: a day on which the clocks go back. */
export const LONGEST_COUNTED_MS = 25 * 3_600_000;

/** How a library requests its status; its type keeps the signature of any other delivery from passing for one. */
export const statusRequestedSchema = z.looseObject(
  {
    type: z.literal('library.status_requested', { error: 'must be library.status_requested' }),
    timestamp: timestamp.describe('When it was requested, with offset; at most nanoseconds'),
    data: z.looseObject(
      {
        since: timestamp.describe(
          'Outcomes are counted from the beginning of this hour on, of the last 25 hours at most',
        ),
      },
      { error: 'must be an object' },
    ),
  },
  { error: 'must be an object' },
);

export type ParsedStatusRequest = { readonly kind: 'request'; readonly sinceMs: number } | InvalidBody;

/** Reads the parsed JSON of a request for the status. An `invalid` result names the field, never its value. */
export function parseStatusRequest(body: unknown): ParsedStatusRequest {
  const parsed = statusRequestedSchema.safeParse(body);
  if (parsed.success) return { kind: 'request', sinceMs: Date.parse(parsed.data.data.since) };
  return { kind: 'invalid', ...firstFault(parsed.error) };
}

const moment = z.iso.datetime();
const libraryName = z.strictObject({ id: z.string(), name: z.string() });
const count = z.int().nonnegative();

const pause = z.strictObject({ side: z.enum(['home', 'lending']), until: moment, reason: z.string() });

/** What is shown of an event that failed: what staff need to say which one it was, and nothing of the patron. */
const failure = z.strictObject({
  event_id: z.string(),
  outcome: z.enum(OUTCOMES),
  reasons: z.array(z.enum(REASONS)),
  /** The first ten. */
  homes: z.array(libraryName),
  /** The full names of its own library and of the one that the problem is at. */
  libraries: z.array(libraryName),
  problem: z
    .strictObject({ library: z.string(), what: z.enum(PROBLEMS), name: z.string().nullable() })
    .nullable(),
  scanned_at: z.string(),
  updated_at: z.string(),
});

/** A copy that somebody has to look at, by Koha's number of the patron there: nothing else of them is said. */
const finding = z.strictObject({
  patron_id: z.int().positive(),
  finding: z.enum(Object.keys(OPEN_FINDINGS) as [OpenFindingCode, ...OpenFindingCode[]]),
  since: moment,
  /** Found by the last sweep, or since. */
  new: z.boolean(),
});

/** How the service is for one library, as the receiver answers it: that library's own data, and of others what their cards look like. */
export const libraryStatusSchema = z.strictObject({
  library: libraryName,
  /** The receiver's clock. */
  checked_at: moment,
  /** The receiver's version. */
  version: z.string(),
  workers: z.strictObject({
    /** Whether any is there. */
    alive: z.boolean(),
    /** Of the live ones; those that announce none are not among them. */
    versions: z.array(z.string()),
  }),
  /** In force at this moment, by command or as planned. */
  pauses: z.array(pause),
  /** The next planned pauses within a week. */
  planned: z.array(pause.extend({ from: moment })),
  /** Its scans as lending library, as they are now; of the failed ones, those that are kept. */
  events: z.strictObject({ queued: count, working: count, waiting: count, failed: count }),
  outcomes: z.strictObject({
    since: moment,
    counts: z.array(z.strictObject({ outcome: z.enum(OUTCOMES), count })),
  }),
  /** The newest first. */
  failures: z.array(failure).max(MOST_LISTED_FAILURES),
  /** Its copies that somebody has to look at: how many findings are open, how many of them new, and the latest. */
  findings: z.strictObject({ open: count, new: count, listed: z.array(finding).max(MOST_LISTED_FINDINGS) }),
  /** What its Koha has to have: as the service's configuration says of it. */
  needs: z.strictObject({
    mode: z.enum(['copy', 'observe']),
    categories: z.array(z.string()),
    branch: z.string().nullable(),
    passport_attribute: z.string(),
    home_key_attribute: z.string().nullable(),
    seen_copies: z.boolean(),
    /**
     * The home libraries whose patrons may borrow here, and what their cards look like: by the configuration, and made-up examples. Null
     * where they are more than a plugin keeps patterns for.
     */
    cards: z
      .array(libraryName.extend({ patterns: z.array(z.string()), examples: z.array(z.string()) }))
      .max(MOST_LISTED_PARTNERS)
      .nullable(),
  }),
});
export type LibraryStatus = z.infer<typeof libraryStatusSchema>;
