import { timeText } from '@passport/runtime';
import { parseDuration } from '@passport/config';
import { PAUSE_SIDES, type Pause, type PauseSide, pauseLibraries } from '@passport/queue/processes';
import { openAudit } from '../../program/open-audit.ts';
import { withQueue } from '../../connect/with-queue.ts';
import { choice, defineCommand, findLibrary, required, WrongUse } from '../../program/index.ts';

const LONGEST_REASON = 100;
const LONGEST_DAYS = 366;
const DAY_MS = 86_400_000;

export const asSide = () =>
  choice(
    '<side>',
    'only as home (it is not queried) or only as lending library (its scans wait)',
    PAUSE_SIDES,
  );

export const sidesOf = (side: PauseSide | undefined): readonly PauseSide[] =>
  side === undefined ? PAUSE_SIDES : [side];

/** A time with its offset, or a duration from now; in milliseconds since 1970. Throws WrongUse. */
function parseUntil(text: string, nowMs: number): number {
  const durationMs = parseDuration(text);
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const untilMs = durationMs === null ? (isTime ? Date.parse(text) : NaN) : nowMs + durationMs;
  if (Number.isNaN(untilMs)) {
    throw new WrongUse(
      '--until must be a time with its offset, such as 2026-12-24T18:00+01:00, or a duration such as 2h',
    );
  }
  if (untilMs <= nowMs) throw new WrongUse('--until is not in the future');
  if (untilMs > nowMs + LONGEST_DAYS * DAY_MS)
    throw new WrongUse(`--until is more than ${LONGEST_DAYS} days away`);
  return untilMs;
}

function checkReason(reason: string): string {
  const text = reason.trim();
  if (text === '' || [...text].length > LONGEST_REASON || /\p{Cc}/u.test(text)) {
    throw new WrongUse(`--reason must have 1 to ${LONGEST_REASON} characters, in one line`);
  }
  return text;
}

export const asText = (sides: readonly PauseSide[]): string =>
  sides.length === PAUSE_SIDES.length ? '' : ` as ${sides[0]} library`;

export const libraryPause = defineCommand({
  summary: 'pause a library until a time, without a restart',
  description:
    'As home library, a paused one is not queried: scans of its cards wait and say until when. As lending library, its scans wait. ' +
    'Without --as, both. Every process sees it within a second. What waits goes on at the end of the pause, or with `library ' +
    'resume`; what is older than retry.give_up_after by then has ended as a failure that can be retried. No patron is needed in the ' +
    'reason: it is shown on the dashboard, in the library’s Koha and in the audit.',
  examples: [
    'passport library pause midland --until 2h --reason "Koha upgrade"',
    'passport library pause riverside --until 2026-12-27T08:00+01:00 --reason "holidays" --as lending',
  ],
  argument: ['<library>', 'its id'],
  options: {
    until: required('<time>', 'a time with its offset, or a duration from now'),
    reason: required('<text>', 'why, in one line, without names of persons'),
    as: asSide(),
  },
  run: ({ until, reason, as }, [id = ''], report, deps) =>
    withQueue(deps, async ({ consortium, redis, now }): Promise<0> => {
      const library = findLibrary(consortium, id).id;
      const nowMs = await now();
      const common = {
        library,
        until_ms: parseUntil(until, nowMs),
        reason: checkReason(reason),
        by: deps.user,
      };
      const sides = sidesOf(as);
      const pauses = sides.map((side): Pause => ({ ...common, side, at_ms: nowMs }));
      await pauseLibraries(redis, pauses);
      const untilTime = new Date(common.until_ms).toISOString();
      const what = { library, as: sides, until: untilTime, because: common.reason };
      openAudit(deps, 'pause', 'pause of a library by an operator')(what);
      report.json({ library, as: sides, until: untilTime, reason: common.reason });
      report.line(`${library}: paused${asText(sides)} until ${timeText(common.until_ms, nowMs)}`);
      return 0;
    }),
});
