import * as z from 'zod';
import { formatDuration, parseDuration } from '../keys/duration.ts';
import { key, type Printable } from '../keys/key.ts';
import { parseTime, printTime, timeOfDay, type TimeOfDay } from '../keys/kinds.ts';

/** Sunday first, as in JavaScript's dates. */
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const SHORTEST_MS = 60_000;
const DAY_MS = 86_400_000;
const LONGEST_DAYS = 366;

const moment = z.iso.datetime({ offset: true, error: 'must be a time with its offset' });

const windowKey = z
  .strictObject({
    at: timeOfDay.optional(),
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

/** A planned pause of one library. */
export interface PlannedWindow {
  readonly when:
    | (TimeOfDay & {
        readonly kind: 'weekly';
        readonly lengthMs: number;
        /** Sunday is 0. */
        readonly days: readonly number[];
      })
    | { readonly kind: 'once'; readonly fromMs: number; readonly untilMs: number };
  /** Null: on both sides. */
  readonly side: 'home' | 'lending' | null;
  readonly reason: string;
}

function toWindow(window: z.output<typeof windowKey>): PlannedWindow {
  const { at, for: length = '', days = DAYS, from = '', until = '', as: side = null, reason } = window;
  if (at === undefined) {
    return { when: { kind: 'once', fromMs: Date.parse(from), untilMs: Date.parse(until) }, side, reason };
  }
  const numbers = DAYS.flatMap((day, number) => (days.includes(day) ? [number] : []));
  const lengthMs = parseDuration(length) ?? 0;
  return { when: { kind: 'weekly', ...parseTime(at), lengthMs, days: numbers }, side, reason };
}

function printWindow({ when, side, reason }: PlannedWindow): Printable {
  const others = { ...(side === null ? {} : { as: side }), reason };
  if (when.kind === 'once') {
    const [from, until] = [new Date(when.fromMs), new Date(when.untilMs)];
    return { from: from.toISOString(), until: until.toISOString(), ...others };
  }
  const days = when.days.map((day) => DAYS[day] ?? '');
  return { at: printTime(when), for: formatDuration(when.lengthMs), days, ...others };
}

/** Planned pauses of a library. */
export const windowsKey = key(z.array(windowKey.transform(toWindow)).max(50), {
  description:
    "Planned pauses, as `passport library pause` makes them: every week at a time of day (of the worker's time zone; without `days`, every day), or once. `as`: only as home or only as lending library; without it, both. `reason` is shown to operators and to staff of the library: no names of persons.",
  allowed:
    'a list of {at: "HH:MM", for: DURATION, days: [mon, sun], as: home, reason: TEXT} or {from: TIME, until: TIME, as: home, reason: TEXT}, with a TIME such as 2026-12-24T18:00:00+01:00',
  fallback: [],
  print: (windows) => windows.map(printWindow),
});
