import type { OpenQueue } from '../../../connect/with-queue.ts';
import { type CliDeps, Failure, type Report } from '../../../program/index.ts';
import { reloadProcesses } from '../../config/reload.ts';

const RELOAD_MS = 20_000;

/** Has the processes read a file that was changed, and says whether all have it; null: none is alive, and each will start with it. */
export async function takeOver(
  open: OpenQueue,
  fileHash: string,
  report: Report,
  deps: CliDeps,
): Promise<boolean | null> {
  try {
    return await reloadProcesses(open, fileHash, RELOAD_MS, report, deps);
  } catch (error) {
    if (!(error instanceof Failure) || error.details['code'] !== 'no_process') throw error;
    report.progress(error.message);
    return null;
  }
}
