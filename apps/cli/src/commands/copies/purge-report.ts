import type { Report } from '../../program/report.ts';
import { type Meanings, type StoppedRun, printPlan } from './plan.ts';
import type { PurgeFinding, PurgedCopy } from './purge-at.ts';

const MEANINGS: Meanings<PurgeFinding> = {
  purge: { good: true, says: 'nothing keeps it: it can be deleted' },
  deleted: { good: true, says: 'was moved to the deleted patrons of the Koha' },
  settled: { good: true, says: 'an earlier run had deleted it: it has its receipt now' },
  unsettled: {
    says: 'it may be deleted, and has no receipt yet: repeat the command, which looks and writes it',
  },
  kept: { good: true, says: 'something keeps it' },
  unused_unknown: {
    says: 'Koha would not know of a later use: it does not track activity or keep the history',
  },
  merged: { says: 'a copy was merged into this own patron of the library: it is never deleted' },
  not_a_copy: { says: 'the record has no passport any more: it is the own patron of the library' },
  not_remembered: {
    says: 'the plugin does not remember that the service wrote into this record: it may be an own patron with a merged copy, or was made before version 1.1',
  },
  anonymized: { says: 'Koha has anonymised the record: its own jobs delete it' },
  not_this_copy: { says: 'it is not this copy any more' },
  gone: { good: true, says: 'somebody else has deleted it' },
  unreadable: { says: 'the record cannot be read' },
  failed: { says: 'the Koha did not answer: repeat the command' },
};

interface PurgePrinting {
  readonly applied: boolean;
  readonly stopped: StoppedRun | null;
  readonly showsUse: boolean;
  readonly showsLending: boolean;
}

/** Prints every copy that the criteria are true of, and how many there are of each finding. Returns the exit code. */
export function printPurge(
  copies: readonly PurgedCopy[],
  { applied, stopped, showsUse, showsLending }: PurgePrinting,
  report: Report,
): 0 | 1 {
  for (const copy of copies) {
    const { lending, patron_id: id, home_key: key, because, blocks, last_used: used, finding } = copy;
    const place = showsLending ? `${lending} ` : '';
    const keeps = blocks.length === 0 ? '' : ` by ${blocks.join(' ')}`;
    const lastUsed = showsUse ? `  last used ${used ?? 'unknown'}` : '';
    report.line(`${place}${id ?? '-'}  ${key ?? '-'}  ${because.join(' ')}${lastUsed}  ${finding}${keeps}`);
  }
  return printPlan(copies, MEANINGS, { applied, stopped, lines: 'none' }, report);
}
