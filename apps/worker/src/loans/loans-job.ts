import type { Library } from '@passport/config';
import type { LoanCounts } from '@passport/koha-client';
import {
  type BranchLoans,
  type LoansJob,
  OTHER_HOMES,
  addDays,
  openLoanDays,
} from '@passport/queue/statistics';
import { noteDone } from '@passport/queue/sweeps';
import type { SliceContext } from '../koha/slice.ts';

/** These are counted anew each night: what a Koha was restored to, or wrote late, is right in the end. */
const DAYS_AGAIN = 10;
/** The first time a year, as far as the Koha still has it. */
const DAYS_AT_FIRST = 366;
/** The plugin's own limit of a request. */
const DAYS_A_CALL = 31;

type LoansJobContext = Pick<
  SliceContext,
  'consortium' | 'redis' | 'callsUntil' | 'slice' | 'stopping' | 'now' | 'log'
>;

/**
 * Counts the loans of visitors at a lending library up to the last day that is over there, for a slice; may be repeated, and goes on
 * with the day that an interrupted run came to. Throws KohaError or LibraryClosed where the library does not answer, and what ends its slice.
 */
export async function doLoansJob(jobId: string, { library }: LoansJob, deps: LoansJobContext): Promise<void> {
  const { consortium, redis, callsUntil, slice, stopping, now, log } = deps;
  const lending = consortium.libraries.find(({ id }) => id === library);
  if (lending === undefined) throw new Error(`${library} is not in this worker's configuration`);
  if (!lending.enabled || lending.loans === null) return;
  const call = callsUntil(AbortSignal.any([stopping, slice.signal]));
  const days = openLoanDays(redis, library);
  // A day more than ours: which days are over decides the clock of that Koha.
  const last = addDays(new Date(now()).toISOString().slice(0, 'YYYY-MM-DD'.length), 1);
  const { through, closed } = await days.read();
  const first = through === null ? addDays(last, -DAYS_AT_FIRST) : addDays(through, 1 - DAYS_AGAIN);
  const resumed = await days.readNext(jobId);
  if (resumed === null) {
    log.info({ audit: true, action: 'count loans', lending: library }, 'count loans');
  }
  let next: string | null = resumed ?? laterOf(first, closed === null ? first : addDays(closed, 1));
  while (next !== null && next <= last) {
    const from: string = next;
    const to = earlierOf(addDays(from, DAYS_A_CALL - 1), last);
    const passportType = lending.copy.passportAttribute;
    const page = await call(library, (koha) => koha.readLoans({ passportType, from, to }));
    if (page === null || page === 'no_statistics') {
      log.warn({ lending: library, code: page ?? 'no_plugin' }, 'loans cannot be counted');
      return;
    }
    if (page.until === null) break;
    for (let day = from; day <= page.until; day = addDays(day, 1)) {
      await days.count(
        day,
        rowsOf(
          lending,
          page.rows.filter((row) => row.day === day),
          consortium,
        ),
      );
    }
    next = page.next ?? (to < last && page.until === to ? addDays(to, 1) : null);
    if (next === null) break;
    await days.noteNext(jobId, next);
    slice.endIfOver('pages');
  }
  const { through: counted } = await days.read();
  if (counted !== null) await days.close(addDays(counted, -DAYS_AGAIN));
  await noteDone(redis, { kind: 'loans', library }, now());
}

const laterOf = (one: string, other: string): string => (one > other ? one : other);
const earlierOf = (one: string, other: string): string => (one < other ? one : other);

/** What counts: a library does not lend to its own patrons, and homes that nobody knows are one. */
function rowsOf(
  lending: Library,
  rows: readonly LoanCounts[],
  { libraries }: LoansJobContext['consortium'],
): readonly BranchLoans[] {
  const known = new Set(libraries.map(({ id }) => id));
  return rows
    .filter(({ home }) => home !== lending.id)
    .map(({ day: _day, home, ...row }) => ({ ...row, home: known.has(home) ? home : OTHER_HOMES }));
}
