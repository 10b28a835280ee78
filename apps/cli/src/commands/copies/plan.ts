import type { Library } from '@passport/config';
import type { Report } from '../../program/report.ts';
import { countsOf } from './read-copies.ts';

/** One copy in a plan: what is found of it, and by which numbers it is known. */
export interface PlannedCopy<F extends string> {
  readonly lending: string;
  readonly patron_id: number | null;
  readonly home_key: string | null;
  readonly finding: F;
}

/** What is listed of a library whose copies cannot be. */
export const failedAt = ({ id }: Library): PlannedCopy<'failed'> => ({
  lending: id,
  patron_id: null,
  home_key: null,
  finding: 'failed',
});

/** What each finding means to the person; `good` ones are what the command does, all others are for them to look at. */
export type Meanings<F extends string> = Readonly<Record<F, { readonly good?: true; readonly says: string }>>;

/** Why a run ended before the last copy. */
export interface StoppedRun {
  readonly code: 'interrupted' | 'redis';
  readonly message: string;
}

/** How a plan is printed: whether it was carried out, and to the end, every copy or only those to look at, and what `--json` has beside them. */
interface Printing {
  readonly applied: boolean;
  readonly stopped: StoppedRun | null;
  readonly lines?: 'doubtful' | 'all' | 'none';
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Prints every copy that a person has to look at, and how many there are of each finding. Returns the exit code. */
export function printPlan<F extends string>(
  copies: readonly PlannedCopy<F>[],
  meanings: Meanings<F>,
  { applied, stopped, lines = 'doubtful', more = {} }: Printing,
  report: Report,
): 0 | 1 {
  const doubtful = copies.filter(({ finding }) => meanings[finding].good !== true);
  const printed = { doubtful, all: copies, none: [] }[lines];
  for (const { lending, patron_id: id, home_key: key, finding } of printed) {
    report.line(`${lending} ${id ?? '-'}  ${key ?? '-'}  ${finding}: ${meanings[finding].says}`);
  }
  const counts = countsOf(copies.map(({ finding }) => finding));
  for (const [finding, count] of Object.entries(counts)) {
    report.line(`${String(count).padStart(6)}  ${finding}`);
  }
  if (copies.length === 0) report.line('no copies');
  if (!applied) report.progress('this is the plan: nothing was changed; --apply does it');
  if (stopped !== null) {
    report.progress(
      `${stopped.message}: stopped after these ${copies.length} copies; the others are as they were`,
    );
    report.progress('repeat the command: it goes on where this one ended');
  }
  report.json({ applied, stopped, counts, copies, ...more });
  return doubtful.length === 0 && stopped === null ? 0 : 1;
}
