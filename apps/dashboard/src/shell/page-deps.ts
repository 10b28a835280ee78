import type { ScanJobs } from '@passport/queue/scans';
import type { Asker } from '@passport/queue/service';
import type { Logger, Redis } from '@passport/runtime';
import type { RetryRuns } from '../events/retry-runs.ts';
import type { PersonActions } from './person-actions.ts';
import type { KnownLibrary } from './known-libraries.ts';
import { type Scope, sees } from '../login/login.ts';

/** An endpoint of `notify` as the configuration has it; its address is not known here. */
export interface KnownEndpoint {
  readonly name: string;
  /** Which it wants messages of. */
  readonly libraries: Scope;
}

/** What every page is made from. */
export interface PageDeps {
  /** The runbook as HTML, made when this process was built; and how the service was installed, where it says so. */
  readonly runbook: string;
  readonly install: string | undefined;
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly libraries: readonly KnownLibrary[];
  /** Where operators are notified. */
  readonly endpoints: readonly KnownEndpoint[];
  readonly nameOf: (library: string) => string;
  /** Milliseconds by the queue's clock. */
  readonly now: () => number;
  /** Where the dashboard is: '' or a path without a slash at its end. */
  readonly basePath: string;
  readonly actions: PersonActions;
  /** The bulk retries that were begun here. */
  readonly retries: RetryRuns;
  /** What the other processes are compared with. */
  readonly asker: Asker;
  /** Whether this process is about to end. */
  readonly stopping: () => boolean;
  readonly log: Logger;
}

/** The libraries that somebody may see. */
export const librariesSeen = ({ libraries }: PageDeps, scope: Scope): readonly KnownLibrary[] =>
  libraries.filter(({ id }) => sees({ libraries: scope }, id));
