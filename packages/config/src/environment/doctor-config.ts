import { VARIABLES } from './environment-variables.ts';
import { type QueueAccess, type ReadFile, readBoth } from './process-config.ts';
import type { Secret } from '../secrets/secret.ts';

/** What `passport doctor` examines the service with. */
export interface DoctorConfig extends Omit<QueueAccess, 'redisUrl'> {
  /** Without a slash at its end. */
  readonly receiverUrl: string;
  /** Null: REDIS_URL is not set, and the queue is not examined. */
  readonly redisUrl: Secret<string> | null;
}

/** The file with all secrets, the address of the receiver, and Redis where it is set. Throws one ConfigError. */
export function doctorConfig(env: NodeJS.ProcessEnv, readFile: ReadFile): DoctorConfig {
  return readBoth(env, { readFile, wanted: ['koha', 'webhook', 'notify'] }, (variables) => ({
    receiverUrl: variables.plain(VARIABLES.receiverUrl, ''),
    redisUrl: variables.optional(VARIABLES.redisUrl) ?? null,
  }));
}
