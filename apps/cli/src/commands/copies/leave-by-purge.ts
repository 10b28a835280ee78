import type { Library } from '@passport/config';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { OpenKohas } from '../../connect/koha-clients.ts';
import { localDay } from '../../program/local-time.ts';
import { openLog } from '../../program/open-log.ts';
import type { Report } from '../../program/report.ts';
import type { OpenQueue } from '../../connect/with-queue.ts';
import { openCopyEnds } from './copy-ends.ts';
import { copyTypesOf } from './copy-types.ts';
import { goThrough } from './go-through.ts';
import { type PurgedCopy, nobodyAt, purgeAt } from './purge-at.ts';
import { printPurge } from './purge-report.ts';

interface LeavePurge {
  readonly of: string;
  readonly lenders: readonly Library[];
  readonly kohas: OpenKohas;
  /** Null: plan only. */
  readonly open: OpenQueue | null;
}

/** Plans, or carries out, the deletion of all copies of a library at every lending library. Returns the exit code. */
export async function leaveByPurge(
  { of, lenders, kohas, open }: LeavePurge,
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> {
  const log = openLog(deps);
  const audit = { audit: true, action: 'copies_leave', by: deps.user, home: of, way: 'purge' };
  const criteria = { expired: false, unusedSince: null, gone: null, leaves: true };
  const applied = open !== null;
  const purge = (library: Library): AsyncIterable<PurgedCopy> => {
    const [koha, types] = [kohas.of(library.id), copyTypesOf(library)];
    const ends = open === null ? null : openCopyEnds(open, library, deps);
    const today = localDay(deps.now());
    return purgeAt({ library, types, koha, of, today, criteria, signal: deps.signal, ends });
  };
  const pass = ({ lending, patron_id, home_key, blocks, finding: result }: PurgedCopy): void =>
    log.info({ ...audit, lending, patron_id, home_key, blocks, result }, 'copies leave');
  const failed = (library: Library): PurgedCopy => nobodyAt(library, 'failed');
  const passage = { at: purge, failed, pass, applies: applied };
  const { copies, stopped } = await goThrough(lenders, passage, report, deps);
  return printPurge(copies, { applied, stopped, showsUse: false, showsLending: true }, report);
}
