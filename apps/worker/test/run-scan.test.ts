import { describe, expect, test } from '@jest/globals';
import { type JobData, eventStateSchema, eventStateOf } from '@passport/contract';
import { createEncryption } from '@passport/runtime';
import type { Result } from '../src/provision/result.ts';
import { LockLost } from '../src/job/job-lock.ts';
import type { Scan, ScanLock } from '../src/provision/scan.ts';
import { type RunContext, type RunResult, runScan } from '../src/job/run-scan.ts';
import {
  CARD,
  ITEM,
  NOON,
  type RunDeps,
  consortiumWith,
  heldLock,
  jobData,
  kohaError,
  librariesWhere,
  manualClock,
  runDeps,
  takenJob,
  waitingProgress,
} from './builders.ts';

const GIVE_UP_MS = 900_000;
const SCANNED = NOON - 2_000;
const copied: Result = {
  kind: 'done',
  outcome: 'COPIED',
  homes: ['midland'],
  patronId: 812,
  checkout: { result: 'CHECKED_OUT', keys: [] },
};
const waiting = (change: Partial<Extract<Result, { kind: 'retry' }>> = {}): Result => ({
  kind: 'retry',
  library: 'midland',
  reason: 'NO_ANSWER',
  retryAfterMs: null,
  otherwise: { outcome: 'HOME_UNREACHABLE', homes: ['midland'] },
  ...change,
});

const withResult = (end: Result, change: Partial<RunDeps> = {}): RunContext =>
  runDeps({ provision: () => Promise.resolve(end), ...change });
const failing = (error: Error, change: Partial<RunDeps> = {}): RunContext =>
  runDeps({ provision: () => Promise.reject(error), ...change });

function ended(decision: RunResult) {
  if (decision.kind !== 'done') throw new Error(`it is to ${decision.kind}`);
  return decision.job;
}
function delayed(decision: RunResult) {
  if (decision.kind !== 'retry') throw new Error(`it is to ${decision.kind}`);
  return decision;
}

describe('a run after one that has sent a checkout', () => {
  const madeOf = (lookFromMs: number): Partial<JobData> => ({
    made: {
      outcome: 'COPIED',
      reasons: [],
      home: 'midland',
      home_key: 'midland:2',
      patron_id: 7,
      disclosed: null,
      look_from_ms: lookFromMs,
    },
  });
  const run = (lookFromMs: number) =>
    runScan(takenJob({ data: jobData(madeOf(lookFromMs)), starts: 2 }), withResult(copied));

  test('waits until Koha has let go of it, whoever had it run', async () => {
    expect(await run(NOON + 4_000)).toEqual({ kind: 'requeue', delayMs: 4_000 });
    expect(await run(NOON)).toMatchObject({ kind: 'done' });
  });

  test('does not wait for a clock that has been set back', async () => {
    expect(await run(NOON + 3_600_000)).toMatchObject({ kind: 'done' });
  });
});

describe('a run that comes to its end', () => {
  test('writes the state with the next number and drops the encrypted card and item', async () => {
    const job = ended(await runScan(takenJob(), withResult(copied)));

    expect(job).toMatchObject({ encrypted_card: null, encrypted_item: null });
    expect(job.progress).toMatchObject({
      seq: 3,
      state: 'done',
      outcome: 'COPIED',
      homes: [{ id: 'midland', name: 'midland library' }],
      patron_id: 812,
      checkout: { result: 'CHECKED_OUT' },
      attempt: 1,
    });
    expect(eventStateSchema.safeParse(eventStateOf(job, false, (id) => id)).error).toBeUndefined();
  });

  test('that is a failure keeps both for a person', async () => {
    const job = ended(await runScan(takenJob(), withResult({ kind: 'done', outcome: 'LENDING_REFUSED' })));

    expect(job.progress.state).toBe('failed');
    expect(job.encrypted_card).not.toBeNull();
    expect(job.encrypted_item).not.toBeNull();
  });

  test('says that no checkout was requested where none was', async () => {
    const job = ended(await runScan(takenJob(), withResult({ kind: 'done', outcome: 'NOT_FOUND' })));
    expect(job.progress.checkout).toEqual({ result: 'NOT_ASKED', keys: [] });
  });

  test('decrypts card and item for the workflow, and nobody else', async () => {
    let reported: Scan | undefined;
    const provision = (scan: Scan) => {
      reported = scan;
      return Promise.resolve(copied);
    };
    await runScan(takenJob(), runDeps({ provision }));

    expect(reported).toMatchObject({ card: CARD, item: ITEM, day: '2026-11-25', wantedMs: SCANNED });
    expect(JSON.stringify(jobData())).not.toContain(CARD);
  });

  test('whose worker died after writing it is not reported again, only finished', async () => {
    const data = ended(await runScan(takenJob(), withResult(copied)));
    expect(await runScan(takenJob({ data, starts: 2, stalls: 1 }), runDeps())).toEqual({
      kind: 'done_before',
      job: data,
    });
  });
});

describe('whether an earlier run may have written', () => {
  const mayHaveWritten = async (taken: Parameters<typeof takenJob>[0]): Promise<boolean | undefined> => {
    let reported: Scan | undefined;
    const provision = (scan: Scan) => {
      reported = scan;
      return Promise.resolve(copied);
    };
    await runScan(takenJob(taken), runDeps({ provision }));
    return reported?.mayHaveWritten;
  };

  test.each<[string, Parameters<typeof takenJob>[0], boolean]>([
    ['not at the first start', {}, false],
    ['at a second start', { starts: 2 }, true],
    ['after its worker died', { stalls: 1 }, true],
    [
      'when a person retries it, though BullMQ counts anew',
      { data: jobData({ retried: { at_ms: NOON, stalled: 0 } }) },
      true,
    ],
  ])('%s', async (_what, taken, expected) => {
    expect(await mayHaveWritten(taken)).toBe(expected);
  });
});

describe('a run that has to wait', () => {
  test('is delayed by the schedule, says for whom, and counts the attempt', async () => {
    const { job, untilMs, worthReporting } = delayed(await runScan(takenJob(), withResult(waiting())));

    expect(untilMs).toBe(NOON + 375);
    expect(worthReporting).toBe(true);
    expect(job.progress).toMatchObject({
      seq: 3,
      state: 'waiting',
      outcome: null,
      homes: [{ id: 'midland', name: 'midland library' }],
      waiting_for: {
        library: 'midland',
        reason: 'NO_ANSWER',
        next_try_at: new Date(NOON + 375).toISOString(),
      },
      attempt: 1,
    });
    expect(job.encrypted_card).not.toBeNull();
  });

  test('notifies the desk of each wait, since an earlier report may be lost', async () => {
    const data = jobData({ progress: waitingProgress('NO_ANSWER') });
    expect(delayed(await runScan(takenJob({ data }), withResult(waiting()))).worthReporting).toBe(true);
  });

  test('for a library at its cap takes the next free slot, at no attempt and without a word', async () => {
    const decision = delayed(await runScan(takenJob(), withResult(waiting({ reason: 'BUSY' }))));
    expect(decision).toMatchObject({ untilMs: NOON + 120, worthReporting: false });
    expect(decision.job.progress.attempt).toBe(0);
  });

  test('for an open circuit waits to be promoted by every library that is lost, at no attempt', async () => {
    const end = waiting({ reason: 'CIRCUIT_OPEN', closed: ['midland', 'lakeside'] });
    const decision = delayed(await runScan(takenJob(), withResult(end)));
    expect(decision.forCircuitsOf).toEqual(['midland', 'lakeside']);
    expect(decision.untilMs).toBe(NOON + 75_000);
    expect(decision.job.progress.attempt).toBe(0);
  });

  test('for a silent library is promoted by another’s closed circuit, too', async () => {
    const end = waiting({ reason: 'NO_ANSWER', closed: ['lakeside'] });
    expect(delayed(await runScan(takenJob(), withResult(end))).forCircuitsOf).toEqual(['lakeside']);
  });

  test('for a silent library whose circuit its own failure opened is promoted with those that were refused', async () => {
    const libraries = librariesWhere((library) => library === 'midland');
    expect(delayed(await runScan(takenJob(), withResult(waiting(), { libraries }))).forCircuitsOf).toEqual([
      'midland',
    ]);
    const end = waiting({ closed: ['lakeside'] });
    expect(delayed(await runScan(takenJob(), withResult(end, { libraries }))).forCircuitsOf).toEqual([
      'lakeside',
      'midland',
    ]);
    const busy = waiting({ reason: 'BUSY' });
    expect(delayed(await runScan(takenJob(), withResult(busy, { libraries }))).forCircuitsOf).toEqual([]);
  });

  test('for its library’s next hour looks again each minute', async () => {
    const end = waiting({ reason: 'LIMIT_REACHED', retryAfterMs: 3_000_000 });
    expect(delayed(await runScan(takenJob(), withResult(end))).untilMs).toBe(NOON + 60_500);
  });

  test('obeys retry-after', async () => {
    const end = waiting({ reason: 'RATE_LIMITED', retryAfterMs: 30_000 });
    expect(delayed(await runScan(takenJob(), withResult(end))).untilMs).toBe(NOON + 30_000);
  });

  test('keeps the copy it made, so that only the checkout is left', async () => {
    const made = {
      outcome: 'COPIED' as const,
      reasons: [],
      home: 'midland',
      home_key: 'midland:812',
      patron_id: 9,
      disclosed: ['surname'],
    };
    const { job } = delayed(await runScan(takenJob(), withResult(waiting({ library: 'riverside', made }))));
    expect(job.made).toEqual(made);
  });

  test('for a checkout that may still be made looks once more, also beyond the time to give up', async () => {
    const now = (): number => SCANNED + GIVE_UP_MS + 10;
    const data = jobData({ progress: waitingProgress('NO_ANSWER', { attempt: 30 }) });
    const end = waiting({ library: 'riverside', retryAfterMs: 3_000, mustLook: true });
    const { untilMs } = delayed(await runScan(takenJob({ data, starts: 30 }), withResult(end, { now })));
    expect(untilMs).toBeGreaterThanOrEqual(now() + 3_000);
  });

  test('never waits beyond the time to give up: the last try is right then', async () => {
    const now = (): number => SCANNED + GIVE_UP_MS - 10;
    const data = jobData({ progress: waitingProgress('NO_ANSWER', { attempt: 30 }) });
    const { untilMs } = delayed(
      await runScan(takenJob({ data, starts: 30 }), withResult(waiting(), { now })),
    );
    expect(untilMs).toBe(SCANNED + GIVE_UP_MS + 1);
  });
});

describe('giving up', () => {
  const late = { now: (): number => SCANNED + GIVE_UP_MS + 1 };
  const outcome = async (data: unknown, deps: RunContext, starts = 30): Promise<string | null> =>
    ended(await runScan(takenJob({ data, starts }), deps)).progress.outcome;

  test('an event that nobody could work on in time is TOO_LATE, without a call', async () => {
    expect(await outcome(jobData(), runDeps(late), 1)).toBe('TOO_LATE');
  });

  test('one that was worked on gets a last try', async () => {
    const data = jobData({ progress: waitingProgress('NO_ANSWER') });
    expect(await outcome(data, withResult(copied, late))).toBe('COPIED');
  });

  test.each(['NO_ANSWER', 'CIRCUIT_OPEN', 'BUSY'] as const)(
    'T-15 one that waited for its home (%s) ends as HOME_UNREACHABLE and names it',
    async (reason) => {
      const progress = waitingProgress(reason, { attempt: reason === 'NO_ANSWER' ? 12 : 0 });
      const job = ended(
        await runScan(
          takenJob({ data: jobData({ progress }), starts: 30 }),
          withResult(waiting({ reason }), late),
        ),
      );
      expect(job.progress).toMatchObject({ outcome: 'HOME_UNREACHABLE', homes: [{ id: 'midland' }] });
    },
  );

  test('one that waited for its library’s next hour all the time is TOO_LATE', async () => {
    const data = jobData({ progress: waitingProgress('LIMIT_REACHED', { attempt: 0 }) });
    expect(await outcome(data, runDeps(late))).toBe('TOO_LATE');
  });

  test('one whose worker died is still worked on', async () => {
    expect(await outcome(jobData(), withResult(copied, late), 2)).toBe('COPIED');
  });

  test('one whose lending library does not answer is LENDING_UNREACHABLE', async () => {
    const data = jobData({ progress: waitingProgress('NO_ANSWER') });
    const lost = kohaError('timeout', { library: 'riverside', operation: 'POST /patrons' });
    expect(await outcome(data, failing(lost, late))).toBe('LENDING_UNREACHABLE');
  });

  test('counts anew from the retry by a person', async () => {
    const data = jobData({ retried: { at_ms: late.now() - 1_000, stalled: 0 } });
    expect(await outcome(data, withResult(copied, late), 1)).toBe('COPIED');
  });

  test('goes by the age that the sender’s own clock gives', async () => {
    const data = jobData({ received_ms: NOON + GIVE_UP_MS, age_at_delivery_ms: GIVE_UP_MS });
    const now = (): number => NOON + GIVE_UP_MS + 1;
    expect(await outcome(data, runDeps({ now }), 1)).toBe('TOO_LATE');
  });
});

describe('a failure that the workflow leaves to us', () => {
  test('T-16 of a call waits for that library and ends with its name', async () => {
    const lost = kohaError('bad_answer', { library: 'riverside', operation: 'POST /checkouts' });
    expect(delayed(await runScan(takenJob(), failing(lost))).job.progress.waiting_for).toMatchObject({
      library: 'riverside',
      reason: 'NO_ANSWER',
    });
  });

  test('that a person must fix ends it at once and says which', async () => {
    const refused = kohaError('permission', { library: 'riverside', permission: 'borrowers: 1' });
    expect(ended(await runScan(takenJob(), failing(refused))).progress).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'permission', name: 'borrowers: 1' },
    });
  });

  test('that is a bug is thrown', async () => {
    await expect(runScan(takenJob(), failing(new TypeError('no')))).rejects.toThrow('no');
  });

  test('because the process stops hands the job back', async () => {
    const lock = heldLock();
    lock.stop();
    expect(await runScan(takenJob({ lock }), failing(new Error('aborted')))).toEqual({
      kind: 'requeue',
      delayMs: 0,
    });
  });

  test('because the process stops is looked at again when Koha has let go of what was about to be sent', async () => {
    const sent = { home: 'midland', home_key: 'midland:2', fields: ['surname'] };
    const claim = {} as Parameters<ScanLock['noteSent']>[1];
    const made = { outcome: 'COPIED', reasons: [], home: 'midland', home_key: 'midland:2' } as const;
    const there = { ...made, reasons: [], patron_id: 7, disclosed: null };
    const cutOff = async (note: (lock: ScanLock) => unknown) => {
      const lock = heldLock();
      const provision = async (_scan: Scan, scanLock: ScanLock) => {
        await note(scanLock);
        lock.stop();
        throw new Error('aborted');
      };
      const data = jobData({ made: there });
      const slow = { riverside: { koha: { timeout: '9s' } } };
      const consortium = consortiumWith(['midland', 'riverside'], slow);
      return runScan(takenJob({ lock, data, starts: 2 }), runDeps({ provision, consortium }));
    };
    expect(await cutOff((lock) => lock.noteSent(sent, claim))).toEqual({ kind: 'requeue', delayMs: 9_000 });
    expect(await cutOff((lock) => lock.noteMade(there))).toEqual({ kind: 'requeue', delayMs: 9_000 });
    const nothingLeft = async (lock: ScanLock) => {
      await lock.noteSent(sent, claim);
      lock.narrowSent([]);
    };
    expect(await cutOff(nothingLeft)).toEqual({ kind: 'requeue', delayMs: 0 });
  });

  test('because the lock is lost is not ours to decide', async () => {
    const lock = heldLock();
    lock.lose();
    await expect(runScan(takenJob({ lock }), failing(kohaError('aborted')))).rejects.toBeInstanceOf(LockLost);
  });
});

test('what has left is on record where the lock is lost after it, and the run comes to no end', async () => {
  const sent = { home: 'midland', home_key: 'midland:2', fields: ['surname'] };
  const left: unknown[] = [];
  const append: RunContext['receipts']['append'] = ({ homeKey, fields }) => {
    left.push([homeKey, fields]);
    return Promise.resolve(null);
  };
  const run = (note: (scanLock: ScanLock) => Promise<unknown>) => {
    const lock = heldLock();
    const provision = async (_scan: Scan, scanLock: ScanLock) => {
      await note(scanLock);
      lock.lose();
      throw kohaError('aborted');
    };
    return runScan(takenJob({ lock }), runDeps({ provision, receipts: { append } }));
  };
  await expect(run(() => Promise.resolve())).rejects.toBeInstanceOf(LockLost);
  expect(left).toEqual([]);
  const claim = {} as Parameters<ScanLock['noteSent']>[1];
  await expect(run((scanLock) => scanLock.noteSent(sent, claim))).rejects.toBeInstanceOf(LockLost);
  expect(left).toEqual([['midland:2', ['surname']]]);
});

describe('a job that cannot be worked on ends where a person sees it', () => {
  const problem = async (taken: Parameters<typeof takenJob>[0], deps: RunContext = runDeps()) =>
    ended(await runScan(takenJob(taken), deps)).progress.problem;

  test('its worker died five times', async () => {
    expect(await problem({ starts: 6, stalls: 5 })).toMatchObject({ name: 'the worker died of it' });
  });

  test('but not of four deaths, and not of those before a person’s retry', async () => {
    expect(await problem({ starts: 5, stalls: 4 }, withResult(copied))).toBeNull();
    const data = jobData({ retried: { at_ms: NOON, stalled: 5 } });
    expect(await problem({ data, stalls: 9 }, withResult(copied))).toBeNull();
    expect(await problem({ data, stalls: 10 })).toMatchObject({ name: 'the worker died of it' });
  });

  test('it met five bugs', async () => {
    expect(await problem({ starts: 6, bugs: 5 })).toMatchObject({ name: 'internal error' });
  });

  test('it was encrypted with a key that is not here', async () => {
    const data = jobData({}, createEncryption([Buffer.alloc(32, 9)]));
    expect(await problem({ data })).toEqual({ library: 'riverside', what: 'other', name: 'PASSPORT_KEY' });
  });

  test.each([
    ['nothing', undefined, ['(whole)']],
    ['no version', { ...jobData(), v: 'x' }, ['v']],
    ['a half', { v: 1, event_id: 'evt_1' }, ['library', 'branch']],
  ])('its payload is %s: the fields are named, not their values', async (_what, data, fields) => {
    const decision = await runScan(takenJob({ data }), runDeps());
    expect(decision).toMatchObject({ kind: 'unreadable', fields: expect.arrayContaining(fields) });
  });
});

test('waiting again and again, an event ends within its time, whatever its library answers', async () => {
  const clock = manualClock(NOON);
  let data = jobData();
  let starts = 0;
  for (; starts < 1_000;) {
    starts += 1;
    const decision = await runScan(takenJob({ data, starts }), withResult(waiting(), { now: clock.now }));
    if (decision.kind === 'done') break;
    const { job, untilMs } = delayed(decision);
    data = job;
    clock.forward(untilMs - clock.now());
  }
  expect(clock.now()).toBe(SCANNED + GIVE_UP_MS + 1);
  expect(starts).toBeLessThan(40);
});
