import type { ActName } from '@passport/queue/audit';
import { auditedLog, createLogger } from '@passport/runtime';
import type { CliDeps } from './cli-deps.ts';

/**
 * Opens the audit of one action: each line goes to standard error, and is kept in Redis. An outage is reported once, by the Failure
 * that ends the command.
 */
export function openAudit(
  { err, keepAct, user }: Pick<CliDeps, 'err' | 'keepAct' | 'user'>,
  action: ActName,
  message: string,
): (what: object) => void {
  const destination = { write: (line: string) => err(line) } as NodeJS.WritableStream;
  const log = createLogger({ name: 'cli', level: 'info', destination });
  const audited = keepAct === undefined ? log : auditedLog(log, keepAct);
  return (what) => audited.info({ audit: true, action, by: user, ...what }, message);
}
