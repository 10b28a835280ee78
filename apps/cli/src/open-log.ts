import { type Logger, createLogger } from '@passport/runtime';
import type { CliDeps } from './cli-deps.ts';

/** The log of a command: audit lines go to standard error. An outage is reported once, by the Failure that ends the command. */
export function openLog({ err }: Pick<CliDeps, 'err'>): Logger {
  const destination = { write: (line: string) => err(line) } as NodeJS.WritableStream;
  return createLogger({ name: 'cli', level: 'info', destination });
}
