import { type Lifecycle, type Logger, auditedLog } from '@passport/runtime';
import { openActKeeper } from './keep-acts.ts';

/** The log whose audit lines are kept in Redis, too, until `lifecycle` ends; they are there a little later. */
export function startAudit({
  closeWithinMs,
  lifecycle,
  log,
  ...keeping
}: Omit<Parameters<typeof openActKeeper>[0], 'onLost'> & {
  /** How long the last lines may take. */
  readonly closeWithinMs: number;
  readonly lifecycle: Lifecycle;
  readonly log: Logger;
}): Logger {
  const acts = openActKeeper({
    ...keeping,
    onLost: (lines) => log.warn({ left_out: lines }, 'audit lines are in the log, but not in the audit view'),
  });
  lifecycle.own('acts', () => acts.close(closeWithinMs));
  return auditedLog(log, acts.keep);
}
