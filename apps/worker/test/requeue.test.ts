import { describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { type RunResult, runScan } from '../src/job/run-scan.ts';
import { NOON, consortiumWith, jobData, runDeps, takenJob } from './builders.ts';

const GIVE_UP_MS = 900_000;
const SCANNED = NOON - 2_000;
/** The configuration of this worker: midland, riverside and, not enabled, birch. */
const known = {
  consortium: consortiumWith(['midland', 'riverside', 'birch'], { birch: { enabled: false } }),
};

const newer = { ...jobData(), v: 3, shape: ['new'], progress: { ...jobData().progress, mood: 'good' } };
const ofLakeside = jobData({ library: 'lakeside' });
const sent = { home: 'lakeside', home_key: 'lakeside:7', fields: ['surname'] };

const FOR_ANOTHER: readonly (readonly [string, object, string, string])[] = [
  ['that a newer version wrote', newer, 'newer_version', 'riverside'],
  ['of a lending library that is not known here', ofLakeside, 'unknown_library', 'lakeside'],
  ['whose home library is not known here', jobData({ sent }), 'unknown_library', 'riverside'],
  ['of a lending library that is not enabled', jobData({ library: 'birch' }), 'disabled_library', 'birch'],
];

const run = (data: object, nowMs = NOON): Promise<RunResult> =>
  runScan(takenJob({ data }), runDeps({ ...known, now: () => nowMs }));

function delayed(decision: RunResult) {
  if (decision.kind !== 'retry') throw new Error(`it is to ${decision.kind}`);
  return decision;
}
function ended(decision: RunResult) {
  if (decision.kind !== 'done') throw new Error(`it is to ${decision.kind}`);
  return decision;
}

describe.each(FOR_ANOTHER)('a job %s', (_what, data, requeueReason, lending) => {
  test('is requeued for another worker: no attempt, and the desk hears that it waits', async () => {
    const decision = delayed(await run(data));

    expect(decision).toMatchObject({ requeueReason, worthReporting: true, forCircuitsOf: [] });
    expect(decision.job.progress).toMatchObject({
      state: 'waiting',
      outcome: null,
      attempt: 0,
      seq: 3,
      waiting_for: { library: lending, reason: 'SERVICE_UPDATE' },
    });
    expect(decision.untilMs - NOON).toBeGreaterThanOrEqual(500);
    expect(decision.untilMs - NOON).toBeLessThanOrEqual(1_000);
  });

  test('is looked at less often the older it is, and at the end of its patience once more', async () => {
    const tenMinutes = delayed(await run(data, SCANNED + 600_000));
    const last = delayed(await run(data, SCANNED + GIVE_UP_MS - 10));

    expect(tenMinutes.untilMs - (SCANNED + 600_000)).toBeGreaterThanOrEqual(30_000);
    expect(last.untilMs).toBe(SCANNED + GIVE_UP_MS + 1);
  });

  test('ends at give_up_after as a failure that says so, with its card for a person', async () => {
    const { job, data: written } = ended(await run(data, SCANNED + GIVE_UP_MS + 1));

    expect(job.progress).toMatchObject({
      state: 'failed',
      outcome: 'MISCONFIGURED',
      problem: {
        what: 'other',
        name: expect.stringMatching(/newer version|configuration of the worker|is not enabled/),
      },
    });
    expect((written as JobData).encrypted_card).toBe(
      jobData().encrypted_card === null ? null : job.encrypted_card,
    );
    expect(job.encrypted_card).not.toBeNull();
  });
});

test('a job of a library that is not enabled that has ended is only finished', async () => {
  const progress = { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } as const;

  expect(await run(jobData({ library: 'birch', progress }))).toMatchObject({ kind: 'done_before' });
});

test('an event that was cancelled before it came is only finished, also by who does not know its library', async () => {
  const progress = { ...jobData().progress, state: 'done', outcome: 'CANCELLED' } as const;

  expect(await run(jobData({ library: 'lakeside', progress }))).toMatchObject({ kind: 'done_before' });
});

describe('a job that a newer version wrote', () => {
  test('keeps what this version does not understand, whenever it is written', async () => {
    const waiting = delayed(await run(newer)).data;
    const failed = ended(await run(waiting, SCANNED + GIVE_UP_MS + 1)).data;

    for (const data of [waiting, failed]) {
      expect(data).toMatchObject({ v: 3, shape: ['new'], progress: { mood: 'good' } });
    }
    expect(failed).toMatchObject({ progress: { seq: 5, outcome: 'MISCONFIGURED' } });
  });

  test('and that says nothing of its time in words of ours is as old as its place in the queue', async () => {
    const data = { v: 3, event_id: 'evt_1', library: 'riverside' };
    const taken = takenJob({ data, addedMs: NOON - 60_000 });

    expect(delayed(await runScan(taken, runDeps(known))).untilMs - NOON).toBeGreaterThanOrEqual(6_000);
  });

  test('and ended there is finished by a newer one, or here once nobody came', async () => {
    const progress = { ...newer.progress, state: 'done', outcome: 'NOT_FOUND' };
    const data = { ...newer, progress };

    expect(await run(data)).toMatchObject({ kind: 'retry' });
    expect(await run(data, SCANNED + GIVE_UP_MS + 1)).toMatchObject({ kind: 'done_before' });
  });
});
