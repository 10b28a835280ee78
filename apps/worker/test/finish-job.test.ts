import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { RedisUnavailable } from '@passport/runtime';
import { finishJob } from '../src/job/process-scan.ts';
import type { Ended } from '../src/job/run-scan.ts';
import { jobData, runDeps } from './builders.ts';

type Outcome = 'COPIED' | 'NOT_FOUND' | 'CANCELLED';

/** The end of an event that has sent a record; the fields that it names tell its receipt from others. */
function ended(outcome: Outcome, change: Partial<Ended> = {}): Ended {
  const sent = { home: 'midland', home_key: 'midland:2', fields: [outcome] };
  const { progress, ...job } = jobData({ sent, encrypted_item: null });
  const end = { ...job, progress: { ...progress, state: 'done' as const, outcome } };
  return { kind: 'done', outcome, job: end, data: end, ifCancelled: null, ...change };
}
const CHECKED_OUT: Partial<Ended> = { checkout: { result: 'CHECKED_OUT', keys: [] } };

/** Ends a job and notes what is done in which order; the write takes longest. */
async function finish(end: Ended, write: () => Promise<boolean>): Promise<string[]> {
  const done: string[] = [];
  const note = (what: string, outcome: string | null | undefined) => {
    done.push(`${what} ${outcome}`);
    return Promise.resolve();
  };
  const writeEnd = async ({ job }: { readonly job: Ended['job'] }) => {
    await setImmediate();
    const isWritten = await write();
    if (isWritten) await note('write', job.progress.outcome);
    return isWritten;
  };
  await finishJob(
    end,
    { id: 'riverside.evt_1', job: {}, write: writeEnd },
    {
      ...runDeps(),
      redis: {} as never,
      receipts: { append: ({ fields }) => note('record', fields[0]).then(() => null) },
      ledger: {
        settle: (_library, _event, outcome) => note('settle', outcome),
        releaseQuota: () => Promise.resolve(),
      },
      reporter: {
        reportEnd: ({ progress }) => note('report', progress.outcome),
        reportWaiting: () => undefined,
      },
      jobs: { ended: () => undefined, requeued: () => undefined },
      health: { misconfigured: () => undefined, worked: () => undefined },
      endCheck: { writing: () => undefined, finished: () => undefined, settled: () => Promise.resolve() },
      jobData: {} as never,
      log: { info: () => undefined, warn: () => undefined } as never,
    },
  ).catch((error: unknown) => done.push(error instanceof Error ? error.name : 'no error'));
  return done;
}

const works = () => Promise.resolve(true);
const isAway = () => Promise.reject(new RedisUnavailable('no connection'));

describe('the end of a job', () => {
  test('is on record and written before it is settled and reported', async () => {
    expect(await finish(ended('NOT_FOUND'), works)).toEqual([
      'record NOT_FOUND',
      'write NOT_FOUND',
      'settle NOT_FOUND',
      'report NOT_FOUND',
    ]);
  });

  test('is reported beside the write where the item is checked out, and settled after it', async () => {
    expect(await finish(ended('COPIED', CHECKED_OUT), works)).toEqual([
      'record COPIED',
      'report COPIED',
      'write COPIED',
      'settle COPIED',
    ]);
  });

  test('that Redis does not take is neither settled nor, unless the item is checked out, reported', async () => {
    const error = 'RedisUnavailable';
    expect(await finish(ended('NOT_FOUND'), isAway)).toEqual(['record NOT_FOUND', error]);
    expect(await finish(ended('COPIED', CHECKED_OUT), isAway)).toEqual([
      'record COPIED',
      'report COPIED',
      error,
    ]);
  });

  test('of an event that was cancelled before the write is the cancelled one, and no other is reported', async () => {
    const first = ended('COPIED', { ifCancelled: () => ended('CANCELLED') });
    let writes = 0;
    const write = () => Promise.resolve((writes += 1) > 1);
    expect(await finish(first, write)).toEqual([
      'record COPIED',
      'record CANCELLED',
      'write CANCELLED',
      'settle CANCELLED',
      'report CANCELLED',
    ]);
  });
});
