import type { Library } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import type { CliDeps } from '../cli-deps.ts';
import { openKohas } from '../koha-clients.ts';
import { localDay } from '../local-time.ts';
import { openLog } from '../open-log.ts';
import type { Report } from '../report.ts';
import { type OpenQueue, withQueue } from '../with-queue.ts';
import { copyTypesOf } from './copy-types.ts';
import { type PurgedCopy, NO_PLUGIN, PluginMissing, purgeAt } from './purge-at.ts';
import { deletionReceipts, printPurge } from './purge-report.ts';

interface LeavePurge {
  readonly of: string;
  readonly lenders: readonly Library[];
  readonly apply: boolean;
}

/**
 * Plans, or with `apply` carries out, the deletion of all copies of a library at every lending library; one that fails does not stop the
 * others. Returns the exit code.
 */
export function leaveByPurge(
  { of, lenders, apply }: LeavePurge,
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> {
  const kohas = openKohas(lenders, deps);
  const log = openLog(deps);
  const audit = { audit: true, action: 'copies_leave', by: deps.user, home: of, way: 'purge' };
  const criteria = { expired: false, unusedSince: null, gone: null, leaves: true };
  const copies: PurgedCopy[] = [];
  const pass = (copy: PurgedCopy): void => {
    copies.push(copy);
    const { lending, patron_id, home_key, blocks, finding: result } = copy;
    log.info({ ...audit, lending, patron_id, home_key, blocks, result }, 'copies leave');
  };
  const purge = async (library: Library, open: OpenQueue | null): Promise<void> => {
    const wanted = { library, types: copyTypesOf(library), koha: kohas.of(library.id), of, criteria };
    const deleted = open === null ? null : deletionReceipts(open, library, deps);
    const today = localDay(deps.now());
    for await (const copy of purgeAt({ ...wanted, today, signal: deps.signal, deleted })) pass(copy);
  };
  const work = async (open: OpenQueue | null): Promise<0 | 1> => {
    for (const library of lenders) {
      try {
        await purge(library, open);
      } catch (error) {
        if (!(error instanceof KohaError || error instanceof PluginMissing)) throw error;
        report.progress(error instanceof KohaError ? error.message : `${library.id} has ${NO_PLUGIN}`);
        const nobody = { patron_id: null, home_key: null, because: [], blocks: [], last_used: null };
        pass({ lending: library.id, ...nobody, finding: 'failed' });
      }
    }
    return printPurge(copies, { applied: apply, showsUse: false, showsLending: true }, report);
  };
  return (apply ? withQueue(deps, work) : work(null)).finally(() => kohas.close());
}
