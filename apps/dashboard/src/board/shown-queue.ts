import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { JobCounts, JobStatus, QueueJob, QueueWorker, Status } from '@bull-board/api/typings/app';
import type { QueuedJob } from './board-job.ts';

/** A queue of BullMQ, as far as the board looks at it. */
interface LookedAt {
  readonly qualifiedName: string;
  getJob(id: string): Promise<QueuedJob | undefined>;
  getJobs(states: (typeof STATUSES)[number][], start?: number, end?: number): Promise<readonly QueuedJob[]>;
  getJobCounts(...states: (typeof STATUSES)[number][]): Promise<JobCounts>;
  getWorkers(): Promise<Record<string, string>[]>;
  isPaused(): Promise<boolean>;
  getGlobalConcurrency(): Promise<number | null>;
}

export interface ShownQueueOptions {
  readonly queue: LookedAt;
  /** In the board's addresses. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** A job as it may be shown. */
  readonly show: (job: QueuedJob) => QueueJob;
  /** Where the event of a job has its own page. */
  readonly eventUrl: (jobId: string) => string;
  /** Whether an operator has buttons for one job; what they do is decided elsewhere (board-writes.ts). */
  readonly hasActions: boolean;
}

/** The states that a job can be in, in the order of its life. Jobs always have a priority: `wait` is for none. */
const STATUSES = ['prioritized', 'active', 'delayed', 'failed', 'completed'] as const;

/** What BullMQ puts before a worker's own name in the name of its connection. */
const WORKER_NAME_SEPARATOR = ':w:';

/**
 * Bull Board's view of a queue. It shows jobs as `show` does and has nothing to change them with: Bull Board's own adapter
 * retries with the old attempts, retries completed jobs, and all at once.
 */
export class ShownQueue extends BaseAdapter {
  readonly #queue: LookedAt;
  readonly #name: string;
  readonly #show: ShownQueueOptions['show'];

  constructor({ queue, name, title, description, show, eventUrl, hasActions }: ShownQueueOptions) {
    super('bullmq', {
      allowCompletedRetries: false,
      ...(hasActions ? {} : { readOnlyMode: true, allowRetries: false }),
      displayName: title,
      description,
      externalJobUrl: ({ id }) => ({ displayText: 'What happened', href: eventUrl(String(id)) }),
    });
    this.#queue = queue;
    this.#name = name;
    this.#show = show;
  }

  override getName(): string {
    return this.#name;
  }

  /** Called when Bull Board looks for flows; there are none. */
  getQueueQualifiedName(): string {
    return this.#queue.qualifiedName;
  }

  override async getJob(id: string): Promise<QueueJob | undefined> {
    const job = await this.#queue.getJob(id);
    return job === undefined ? undefined : this.#show(job);
  }

  override async getJobs(statuses: JobStatus[], start?: number, end?: number): Promise<QueueJob[]> {
    const known = STATUSES.filter((status) => statuses.includes(status));
    const jobs = await this.#queue.getJobs([...known], start, end);
    return jobs.filter(Boolean).map(this.#show);
  }

  override getJobCounts(): Promise<JobCounts> {
    return this.#queue.getJobCounts(...STATUSES);
  }

  override getStatuses(): Status[] {
    return ['latest', ...STATUSES];
  }

  override getJobStatuses(): JobStatus[] {
    return [...STATUSES];
  }

  override async getWorkers(): Promise<QueueWorker[] | null> {
    return this.normalizeWorkers(await this.#queue.getWorkers(), WORKER_NAME_SEPARATOR);
  }

  override isPaused(): Promise<boolean> {
    return this.#queue.isPaused();
  }

  override getGlobalConcurrency(): Promise<number | null> {
    return this.#queue.getGlobalConcurrency();
  }

  /** Never called: the board hides it. */
  override getRedisInfo = () => Promise.resolve(null);
  override getMetrics = nothing;
  override getJobLogs = () => Promise.resolve([]);
  override getJobSchedulers = () => Promise.resolve([]);
  override getJobSchedulersCount = () => Promise.resolve(0);

  override addJob = refuse;
  override clean = refuse;
  override promoteAll = refuse;
  override pause = refuse;
  override resume = refuse;
  override empty = refuse;
  override obliterate = refuse;
  override setGlobalConcurrency = refuse;
  override removeJobScheduler = refuse;
  override updateJobScheduler = refuse;
  override runJobSchedulerNow = refuse;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the board itself changes nothing'));
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('no metrics are kept in the queue'));
}
