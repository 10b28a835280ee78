import { type Logger, auditedLog, createLogger } from '@passport/runtime';
import type { CliDeps } from './cli-deps.ts';

/**
 * The log of a command: audit lines go to standard error, and are kept in Redis. An outage is reported once, by the Failure that ends
 * the command.
 */
export function openLog({ err, keepAct }: Pick<CliDeps, 'err' | 'keepAct'>): Logger {
  const destination = { write: (line: string) => err(line) } as NodeJS.WritableStream;
  const log = createLogger({ name: 'cli', level: 'info', destination });
  return keepAct === undefined ? log : auditedLog(log, keepAct);
}
