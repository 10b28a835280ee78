import * as z from 'zod';
import { parseDuration } from '../file/duration.ts';

/** Sunday first, as in JavaScript's dates. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const SHORTEST_MS = 60_000;
const DAY_MS = 86_400_000;
const LONGEST_DAYS = 366;

const moment = z.iso.datetime({ offset: true, error: 'must be a time with its offset' });

const windowKey = z
  .strictObject({
    at: z
      .string()
      .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)
      .optional(),
    for: z
      .string()
      .refine((text) => isBetween(parseDuration(text), SHORTEST_MS, DAY_MS), {
        error: 'must be a duration from 1m to 24h',
      })
      .optional(),
    days: z.array(z.enum(DAYS)).min(1).max(DAYS.length).optional(),
    from: moment.optional(),
    until: moment.optional(),
    as: z.enum(['home', 'lending']).optional(),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine((text) => !/\p{Cc}/u.test(text), { error: 'must be one line' }),
  })
  .refine(
    ({ at, for: length, days, from, until }) =>
      at === undefined
        ? from !== undefined && until !== undefined && length === undefined && days === undefined
        : length !== undefined && from === undefined && until === undefined,
    { error: 'must have `at` and `for`, or `from` and `until`' },
  )
  .refine(
    ({ from = '', until = '' }) => {
      const lengthMs = Date.parse(until) - Date.parse(from);
      return Number.isNaN(lengthMs) || (lengthMs > 0 && lengthMs <= LONGEST_DAYS * DAY_MS);
    },
    { error: `must end after it begins, and within ${LONGEST_DAYS} days` },
  );

const isBetween = (value: number | null, least: number, most: number): boolean =>
  value !== null && value >= least && value <= most;

/** Planned pauses of a library. */
export const windowsKey = z.array(windowKey).max(50).meta({
  description:
    "Planned pauses, as `passport library pause` makes them: every week at a time of day (of the worker's time zone; without `days`, every day), or once. `as`: only as home or only as lending library; without it, both. `reason` is shown to operators and to staff of the library: no names of persons.",
  allowed:
    'a list of {at: "HH:MM", for: DURATION, days: [mon, sun], as: home, reason: TEXT} or {from: TIME, until: TIME, as: home, reason: TEXT}, with a TIME such as 2026-12-24T18:00:00+01:00',
});

type WindowKey = z.infer<typeof windowKey>;

/** A planned pause of one library. */
export interface PlannedWindow {
  readonly when:
    | {
        readonly kind: 'weekly';
        readonly hour: number;
        readonly minute: number;
        readonly lengthMs: number;
        /** Sunday is 0. */
        readonly days: readonly number[];
      }
    | { readonly kind: 'once'; readonly fromMs: number; readonly untilMs: number };
  /** Null: on both sides. */
  readonly side: 'home' | 'lending' | null;
  readonly reason: string;
}

/** The windows of a library as they hold. */
export const toWindows = (keys: readonly WindowKey[]): readonly PlannedWindow[] =>
  keys.map(({ at, for: length = '', days = DAYS, from = '', until = '', as = null, reason }) => {
    if (at === undefined) {
      const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)];
      return { when: { kind: 'once', fromMs, untilMs }, side: as, reason };
    }
    const [hour = 0, minute = 0] = at.split(':').map(Number);
    const numbers = DAYS.flatMap((day, number) => (days.includes(day) ? [number] : []));
    const lengthMs = parseDuration(length) ?? 0;
    return { when: { kind: 'weekly', hour, minute, lengthMs, days: numbers }, side: as, reason };
  });
