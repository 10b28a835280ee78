import type { Consortium } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import { LibraryClosed } from '../koha/libraries.ts';
import type { Task } from '../maintenance/maintenance.ts';
import type { CopyMemory } from './copy-memory.ts';

/** Beside the scans: no desk waits for it. */
const EVERY_MS = 15_000;

/** Stores what waits for each library. One in trouble keeps nobody else's waiting; its own is stored another time. */
export function rememberTask({ libraries }: Consortium, memory: Pick<CopyMemory, 'store'>): Task {
  const lenders = libraries.filter(({ enabled, retry }) => enabled && retry.tellKoha).map(({ id }) => id);
  const work = async (): Promise<void> => {
    for (const lending of lenders) {
      await memory.store(lending).catch((error: unknown) => {
        if (!(error instanceof KohaError) && !(error instanceof LibraryClosed)) throw error;
      });
    }
  };
  return { name: 'memory of copies', everyMs: EVERY_MS, work };
}
