import type { JobData } from '@passport/contract';
import type { ScanLock } from '../provision/scan.ts';
import type { TakenJob } from './run-result.ts';
import { withLess, withSent } from './sent-records.ts';

/** What a run has noted so far. */
export interface Noted {
  readonly job: JobData;
  /** A copy or a checkout that this run was about to send: Koha may still be working on it. */
  readonly mayBeOnItsWay: boolean;
}

/** The lock of a run that begins with this job, as its workflow sees it. */
export function buildScanLock(
  before: JobData,
  { lock: { signal, assertHeld }, save, saveWanted }: Pick<TakenJob, 'lock' | 'save' | 'saveWanted'>,
): { readonly lock: ScanLock; readonly noted: () => Noted } {
  let noted: Noted = { job: before, mayBeOnItsWay: false };
  const lock: ScanLock = {
    signal,
    assertHeld: () => assertHeld(),
    async noteSent(sent, claim) {
      const job = withSent(noted.job, sent);
      const claimed = await save(job, claim);
      if (claimed === 'taken') noted = { job, mayBeOnItsWay: true };
      return claimed;
    },
    noteConsent(consent) {
      noted = { ...noted, job: { ...noted.job, consent } };
    },
    onlyLeft(fields) {
      noted = { job: withLess(noted.job, before, fields), mayBeOnItsWay: false };
    },
    async noteMade(made) {
      const job = { ...noted.job, made };
      await saveWanted(job);
      noted = { job, mayBeOnItsWay: true };
    },
    assertWanted: () => saveWanted(noted.job),
  };
  return { lock, noted: () => noted };
}
