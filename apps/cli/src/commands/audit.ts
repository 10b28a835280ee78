import { localTime } from '@passport/runtime';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '@passport/config';
import {
  ACTS,
  ANY_ACT,
  type ListedAct,
  actJson,
  actsCsv,
  detailsText,
  findActs,
} from '@passport/queue/audit';
import { withQueue } from '../connect/with-queue.ts';
import {
  choice,
  defineCommand,
  flag,
  numberUpTo,
  parsed,
  parsedOr,
  type Report,
  optional,
} from '../program/index.ts';

/** A time, or how long ago. */
type Moment = { readonly kind: 'at' | 'ago'; readonly ms: number };

const LAST_WEEK: Moment = { kind: 'ago', ms: 7 * 24 * 3_600_000 };
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/;

function parseMoment(text: string): Moment {
  const ago = parseDuration(text);
  if (ago !== null) return { kind: 'ago', ms: ago };
  // A day begins at midnight here, as a clock on the wall has it.
  const at = TIME.test(text) ? Date.parse(text.includes('T') ? text : `${text}T00:00`) : NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError(
      'It is neither a duration such as 7d, nor a day such as 2026-11-26, nor a time with its offset such as 2026-11-26T09:00Z.',
    );
  return { kind: 'at', ms: at };
}

const HEAD = ['time', 'by', 'act', 'at', 'what'];

function printActs(acts: readonly ListedAct[], { line, table }: Report): void {
  if (acts.length === 0) return line('nothing was done');
  const rows = acts.map((act) => {
    const { by, source, libraries, homes, event, result, count } = act;
    const at = [
      libraries.join(' '),
      ...(homes.length > 0 && homes.join() !== libraries.join() ? [`of ${homes.join(' ')}`] : []),
    ];
    const what = [event ?? '', result ?? '', detailsText(act), ...(count === 1 ? [] : [`${count} times`])];
    return [
      localTime(act.atMs),
      by ?? `(${source})`,
      act.act,
      at.join(' ').trim(),
      what.filter(Boolean).join(', '),
    ];
  });
  table(HEAD, rows);
}

export const audit = defineCommand({
  summary: 'list who did what with this command and the dashboard, and when',
  description:
    'Lists what operators did with this command, what users did on the dashboard, which log-ins and writes were refused, and sweeps and ' +
    'readings of the service itself, the newest first. Names are those of staff accounts: of the machine for this command, of the ' +
    'dashboard otherwise. No card, no name and no number of a patron is in it. What is the same within a minute (a command that goes ' +
    'through many copies) is one line with its number. It is kept for retention.audit, the newest 5,000 of each account; the logs of the ' +
    'processes have every line. Scans are not in it: `passport events list` has them. Times and days are those of this machine (TZ); with --json and --csv, times are in UTC.',
  examples: [
    'passport audit --since 7d',
    'passport audit --since 2026-11-01 --at riverside --act retry',
    'passport audit --since 24h --json | jq \'.acts[] | select(.by == "root")\'',
    'passport audit --since 400d --limit 99999 --csv > audit.csv',
  ],
  options: {
    since: parsedOr(
      '<time>',
      'a duration back from now, a day here, or a time with its offset',
      parseMoment,
      [LAST_WEEK, '7d'],
    ),
    until: parsed('<time>', 'the same; by default now', parseMoment),
    at: optional('<library>', 'only what was done at, or read from, this library'),
    by: optional('<account>', 'only what this account did'),
    act: choice('<act>', 'only this', ACTS),
    limit: parsedOr('<number>', 'so many lines at most', numberUpTo(99_999), [1_000]),
    csv: flag('print CSV instead of a table', ['json']),
  },
  run: ({ since, until, at, by, act, limit, csv }, _args, report, deps) =>
    withQueue(deps, async ({ redis, now }): Promise<0> => {
      const nowMs = await now();
      const timeOf = ({ kind, ms }: Moment): number => (kind === 'at' ? ms : nowMs - ms);
      // A library that has left the configuration has a past, too: any id may be named.
      const { acts, next } = await findActs(redis, {
        ...ANY_ACT,
        library: at ?? null,
        by: by ?? null,
        act: act ?? null,
        fromMs: timeOf(since),
        untilMs: until === undefined ? null : timeOf(until),
        most: limit,
      });
      report.json({ acts: acts.map(actJson), more: next !== null });
      if (csv === true) for (const row of actsCsv(acts)) report.data(row);
      else printActs(acts, report);
      if (next !== null) report.progress(`there are more: only the newest ${limit} are listed (--limit)`);
      return 0;
    }),
});
