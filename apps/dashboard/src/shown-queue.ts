import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { JobCounts, JobStatus, QueueJob, QueueWorker, Status } from '@bull-board/api/typings/app';
import { type ScanJobs, SCANS } from '@passport/queue';
import { boardJob } from './board-job.ts';

export interface ScanAdapterDeps {
  readonly queue: ScanJobs;
  readonly nameOf: (library: string) => string;
  /** Where the event of a job has its own page. */
  readonly eventUrl: (jobId: string) => string;
}

/** The states that a scan can be in, in the order of its life. Jobs always have a priority: `wait` is for none. */
const STATUSES = ['prioritized', 'active', 'delayed', 'failed', 'completed'] as const;

/** What BullMQ puts before a worker's own name in the name of its connection. */
const WORKER_NAME_SEPARATOR = ':w:';

/**
 * Bull Board's view of the queue of scans. It shows jobs as {@link boardJob} does and has nothing to change them
 * with: Bull Board's own adapter retries with the old attempts, retries completed jobs, and all at once.
 */
export class ScanAdapter extends BaseAdapter {
  readonly #queue: ScanJobs;
  readonly #nameOf: (library: string) => string;

  constructor({ queue, nameOf, eventUrl }: ScanAdapterDeps) {
    super('bullmq', {
      allowCompletedRetries: false,
      displayName: 'Scans',
      description: 'One job for each card that a library did not know',
      externalJobUrl: ({ id }) => ({ displayText: 'What happened', href: eventUrl(String(id)) }),
    });
    this.#queue = queue;
    this.#nameOf = nameOf;
  }

  override getName(): string {
    return SCANS;
  }

  /** Called when Bull Board looks for flows; there are none. */
  getQueueQualifiedName(): string {
    return this.#queue.qualifiedName;
  }

  override async getJob(id: string): Promise<QueueJob | undefined> {
    const job = await this.#queue.getJob(id);
    return job === undefined ? undefined : boardJob(job, this.#nameOf);
  }

  override async getJobs(statuses: JobStatus[], start?: number, end?: number): Promise<QueueJob[]> {
    const known = STATUSES.filter((status) => statuses.includes(status));
    const jobs = await this.#queue.getJobs([...known], start, end);
    return jobs.filter(Boolean).map((job) => boardJob(job, this.#nameOf));
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
