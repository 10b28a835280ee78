import { loadConsortium } from '@passport/config';
import { readCopyRecords } from '@passport/queue/copies';
import { readMissing } from '@passport/queue/sweeps';
import {
  applyOption,
  defineCommand,
  findLibrary,
  flag,
  localDay,
  numberUpTo,
  parsed,
  type Report,
  required,
  optional,
  WrongUse,
} from '../../program/index.ts';
import { copyTypesOf, warnOfAgreements } from './copy.ts';
import { type CopyWork, type Ran, goThrough, type Place } from './plan.ts';
import { findGone, type ProvenGone } from './proven-gone.ts';
import {
  printDeletions,
  DELETION,
  deleteAt,
  type PlannedDeletion,
  type DeletionDetails,
  type DeletionFinding,
} from './delete-at.ts';

/** The day so many months before a day; the last of the month where that has no such day. */
export function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(date, lastOfMonth))).toISOString().slice(0, 10);
}

/** The patron numbers of those that nothing keeps, and nothing else. */
function printNumbers({ copies, stopped }: Ran<PlannedDeletion>, report: Report): 0 | 1 {
  const numbers = copies.filter(({ finding }) => finding === 'delete').map(({ patron_id: id }) => String(id));
  for (const number of numbers) report.line(number);
  report.progress(`${numbers.length} numbers, nothing was changed`);
  const isWhole = stopped === null && copies.every(({ finding }) => finding !== 'failed');
  if (!isWhole) report.progress('these are not all: repeat the command');
  return isWhole ? 0 : 1;
}

/** Whose patrons have left home, by what full sweeps have noted and what home says now. */
async function readGone(place: Place, of: string | undefined, report: Report): Promise<ProvenGone | null> {
  const { open, library: lending } = place;
  if (open === null) return null;
  const { consortium, redis, now } = open;
  const gone = await findGone({
    ...place,
    consortium,
    lending,
    of,
    readRecords: (at, patronIds) => readCopyRecords(redis, at, patronIds),
    missingSince: (home) => readMissing(redis, { library: lending.id, home }),
    nowMs: await now(),
  });
  for (const [home, why] of gone.unproven) report.progress(`${home}: nobody is gone: ${UNPROVEN[why]}`);
  return gone;
}

const UNPROVEN = {
  blind: 'it shows too few of its patrons, as if its API user may not see them',
  down: 'it does not answer',
} as const;

export const copiesDelete = defineCommand({
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
    'passport copies delete --at riverside --expired',
    'passport copies delete --at riverside --unused 24 --expired --apply',
    'passport copies delete --at riverside --gone --apply',
    'passport copies delete --at riverside --of lakeside',
    'passport copies delete --at riverside --expired --list > numbers.txt',
  ],
  options: {
    at: required('<library>', 'the lending library'),
    unused: parsed(
      '<months>',
      'copies that were not used for so many months',
      numberUpTo(999, 'number of months'),
    ),
    expired: flag('copies whose expiry date has passed'),
    gone: flag('copies whose patron is proven to have left the home library'),
    of: optional(
      '<library>',
      'only copies of this home library, also if the configuration does not have it any more',
    ),
    list: flag("print only the patron numbers, for Koha's own script", ['apply']),
    apply: applyOption(),
  },
  run: async (options, _args, report, deps): Promise<0 | 1> => {
    const { at, unused, of, expired = false, gone = false, list = false, apply = false } = options;
    const isNarrowed = unused !== undefined || expired || gone;
    if (!isNarrowed && of === undefined)
      throw new WrongUse('say which copies: --unused MONTHS, --expired, --gone, --of LIBRARY, or several');
    const consortium = loadConsortium(deps.env, deps.readFile);
    if (!isNarrowed && of !== undefined) warnOfAgreements(consortium, of, report);
    const library = findLibrary(consortium, at);
    copyTypesOf(library);
    const today = localDay(deps.now());
    const unusedSince = unused === undefined ? null : monthsBefore(today, unused);
    let proven: ProvenGone | null = null;
    const work: CopyWork<DeletionFinding, DeletionDetails> = {
      action: 'copies_delete',
      auditOf: ({ because, blocks }) => ({ because, blocks }),
      lenders: [library],
      called: gone ? consortium.libraries : [library],
      applies: apply,
      needsQueue: apply || gone,
      async at(place) {
        if (gone) proven = await readGone(place, of, report);
        return deleteAt(place, {
          of,
          today,
          criteria: { expired, unusedSince, gone: proven, all: isNarrowed ? null : 'leaves' },
        });
      },
      ...DELETION,
    };
    const result = await goThrough(work, report, deps);
    if (list && !report.isJson) return printNumbers(result, report);
    const exitCode = printDeletions(result, { showsUse: unused !== undefined, showsLending: false }, report);
    return (proven as ProvenGone | null)?.unproven.size ? 1 : exitCode;
  },
});
