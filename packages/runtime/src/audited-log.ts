import type { Logger } from './logger.ts';

/** The levels that audit lines are written at. */
const LEVELS = ['info', 'warn'] as const;

/**
 * The same log, which passes each line of `audit: true` on to `keep` as well, whatever the level of the log: after it has left this
 * process, with whatever was gathered before it, since what it says is done and is not repeated. `keep` must not throw. Lines of a child of this log are not passed on.
 */
export function auditedLog(log: Logger, keep: (line: Readonly<Record<string, unknown>>) => void): Logger {
  const audited = Object.create(log) as Logger;
  for (const level of LEVELS) {
    const write = (...args: unknown[]): void => {
      Reflect.apply(log[level], log, args);
      const [line] = args;
      if (!isAuditLine(line)) return;
      log.flush();
      keep(line);
    };
    Object.defineProperty(audited, level, { value: write });
  }
  return audited;
}

const isAuditLine = (line: unknown): line is Readonly<Record<string, unknown>> =>
  typeof line === 'object' && line !== null && 'audit' in line && line.audit === true;
