import { InvalidArgumentError, Option } from 'commander';
import { loadConsortium } from '@passport/config';
import { readCopyRecords, readMissing } from '@passport/queue';
import type { CliDeps } from '../../program/cli-deps.ts';
import { type CommandDraft, atLibrary } from '../../program/command.ts';
import { WrongUse } from '../../program/failure.ts';
import { findLibrary } from '../../program/find-library.ts';
import { openKohas } from '../../connect/koha-clients.ts';
import { localDay } from '../../program/local-time.ts';
import { openLog } from '../../program/open-log.ts';
import type { Report } from '../../program/report.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { openCopyEnds } from './copy-ends.ts';
import { copyTypesOf } from './copy-types.ts';
import { goThrough } from './go-through.ts';
import type { StoppedRun } from './plan.ts';
import { type GoneCase, type ProvenGone, findGone } from './proven-gone.ts';
import { type PurgedCopy, nobodyAt, purgeAt } from './purge-at.ts';
import { printPurge } from './purge-report.ts';
import { warnOfAgreements } from './warn-of-agreements.ts';

function parseMonths(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new InvalidArgumentError('It is not a number of months from 1 to 999.');
  return Number(text);
}

/** The day so many months before a day; the last of the month where that has no such day. */
export function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(date, lastOfMonth))).toISOString().slice(0, 10);
}

interface PurgeOptions {
  readonly at: string;
  readonly unused?: number;
  readonly expired?: boolean;
  readonly gone?: boolean;
  readonly of?: string;
  readonly list?: boolean;
  readonly apply?: boolean;
}

/** The patron numbers of those that nothing keeps, and nothing else. */
function printNumbers(copies: readonly PurgedCopy[], stopped: StoppedRun | null, report: Report): 0 | 1 {
  const numbers = copies.filter(({ finding }) => finding === 'purge').map(({ patron_id: id }) => String(id));
  for (const number of numbers) report.line(number);
  report.progress(`${numbers.length} numbers, nothing was changed`);
  const isWhole = stopped === null && copies.every(({ finding }) => finding !== 'failed');
  if (!isWhole) report.progress('these are not all: repeat the command');
  return isWhole ? 0 : 1;
}

/** Whose patrons have left home, by what full sweeps have noted and what home says now. */
async function readGone(
  { consortium, redis, now }: OpenQueue,
  { lending, of, kohas }: Pick<GoneCase, 'lending' | 'of' | 'kohas'>,
  report: Report,
  { signal }: CliDeps,
): Promise<ProvenGone> {
  const missingSince: GoneCase['missingSince'] = (home) => readMissing(redis, { library: lending.id, home });
  const { homeKey: homeKeyType } = copyTypesOf(lending);
  const nowMs = await now();
  const readRecords: GoneCase['readRecords'] = (at, patronIds) => readCopyRecords(redis, at, patronIds);
  const gone = await findGone({
    consortium,
    lending,
    of,
    kohas,
    homeKeyType,
    readRecords,
    missingSince,
    nowMs,
    signal,
  });
  for (const [home, why] of gone.unproven) report.progress(`${home}: nobody is gone: ${UNPROVEN[why]}`);
  return gone;
}

const UNPROVEN = {
  blind: 'it shows too few of its patrons, as if its API user may not see them',
  down: 'it does not answer',
} as const;

export const copiesPurge: CommandDraft<PurgeOptions> = {
  name: 'purge',
  summary: 'delete copies that are unused, expired or gone, and that nothing keeps',
  description:
    'Plans which copies at a library can be deleted: expired ones, those unused for so many months, and those whose patron is proven to ' +
    'have left home. With --of only copies of this home library, and without another criterion all of them. A copy with a checkout, a ' +
    'debt, an unused credit, a guarantee, a hold, a recall, a booking, an article or ILL request, a list, a restriction (debt collection ' +
    'among them), staff permissions, or protection by Koha is kept, and the plan says by what. --list prints the patron numbers only, for ' +
    "`misc/cronjobs/delete_patrons.pl --file` of Koha. --apply has the library's plugin check every copy again and delete it in the same " +
    'transaction; every deletion has a receipt, also one of an interrupted run: the next run with --apply at that library writes it. "Unused" needs what Koha knows: where it does not track activity, or removes the history, ' +
    'the copy is listed and not deleted. "Gone" needs a full sweep that missed the patron, and another look a day later or more.',
  examples: [
    'passport copies purge --at riverside --expired',
    'passport copies purge --at riverside --unused 24 --expired --apply',
    'passport copies purge --at riverside --gone --apply',
    'passport copies purge --at riverside --of lakeside',
    'passport copies purge --at riverside --expired --list > numbers.txt',
  ],
  options: [
    atLibrary('the lending library'),
    new Option('--unused <months>', 'copies that were not used for so many months').argParser(parseMonths),
    new Option('--expired', 'copies whose expiry date has passed'),
    new Option('--gone', 'copies whose patron is proven to have left the home library'),
    new Option(
      '--of <library>',
      'only copies of this home library, also if the configuration does not have it any more',
    ),
    new Option('--list', "print only the patron numbers, for Koha's own script").conflicts('apply'),
    new Option('--apply', 'do it'),
  ],
  run: async (options, _args, report, deps): Promise<0 | 1> => {
    const { at, unused, of, expired = false, gone = false, list = false, apply = false } = options;
    const isNarrowed = unused !== undefined || expired || gone;
    if (!isNarrowed && of === undefined)
      throw new WrongUse('say which copies: --unused MONTHS, --expired, --gone, --of LIBRARY, or several');
    const consortium = loadConsortium(deps.env, deps.readFile);
    if (!isNarrowed && of !== undefined) warnOfAgreements(consortium, of, report);
    const library = findLibrary(consortium, at);
    const types = copyTypesOf(library);
    const kohas = openKohas(gone ? consortium.libraries : [library], deps);
    const today = localDay(deps.now());
    const unusedSince = unused === undefined ? null : monthsBefore(today, unused);
    const log = openLog(deps);
    const audit = { audit: true, action: 'copies_purge', by: deps.user, lending: at };
    let proven: ProvenGone | null = null;
    const work = async (open: OpenQueue | null): Promise<0 | 1> => {
      const ends = open === null || !apply ? null : openCopyEnds(open, library, deps);
      const wanted = { library, types, koha: kohas.of(at), of, today, signal: deps.signal, ends };
      const purge = async function* (): AsyncGenerator<PurgedCopy, void, undefined> {
        if (open !== null && gone)
          proven = await readGone(open, { lending: library, of, kohas }, report, deps);
        const criteria = { expired, unusedSince, gone: proven, leaves: !isNarrowed };
        yield* purgeAt({ ...wanted, criteria });
      };
      const pass = ({ patron_id, home_key, because, blocks, finding: result }: PurgedCopy): void =>
        log.info({ ...audit, patron_id, home_key, because, blocks, result }, 'copies purge');
      const failed = (): PurgedCopy => nobodyAt(library, 'failed');
      const passage = { at: purge, failed, pass, applies: apply };
      const { copies, stopped } = await goThrough([library], passage, report, deps);
      if (list && !report.isJson) return printNumbers(copies, stopped, report);
      const shows = { applied: apply, stopped, showsUse: unused !== undefined, showsLending: false };
      const exitCode = printPurge(copies, shows, report);
      return proven !== null && proven.unproven.size > 0 ? 1 : exitCode;
    };
    try {
      return apply || gone ? await withQueue(deps, work) : await work(null);
    } finally {
      kohas.close();
    }
  },
};
