import { describe, expect, test } from '@jest/globals';
import { eventStateOf, eventStateSchema } from '@passport/contract';
import { buildLibraries } from '../src/koha/libraries.ts';
import { LibraryPaused } from '../src/koha/koha-failure.ts';
import { queryHome, tryAgain } from '../src/provision/find-patron.ts';
import { decideFailure } from '../src/provision/retry-policy.ts';
import { runScan } from '../src/job/run-scan.ts';
import { NOON, heldLock, jobData, manualClock, noClient, runDeps, takenJob } from './builders.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PAUSE_MS = 10 * MINUTE_MS;
const UNTIL = new Date(NOON + PAUSE_MS).toISOString();

describe('the scan of a lending library that is paused', () => {
  const pausedForAnHour = { pauseLeft: () => HOUR_MS };

  test('waits for the end of the pause and says when that is, and nobody is queried for it', async () => {
    const result = await runScan(takenJob(), runDeps({ pauseLeft: () => PAUSE_MS })); // its workflow would throw
    expect(result).toMatchObject({ kind: 'retry', forPausesOf: [{ library: 'riverside', side: 'lending' }] });
    if (result.kind !== 'retry') return;
    expect(result.job.progress).toMatchObject({
      state: 'waiting',
      outcome: null,
      attempt: 0,
      waiting_for: { library: 'riverside', reason: 'PAUSED', next_try_at: UNTIL },
    });
    const state = eventStateOf(result.job, false, () => 'Riverside');
    expect(eventStateSchema.safeParse(state).error).toBeUndefined();
    expect(state.message).toBe('Riverside is paused until 2026-11-25 12:10 UTC. Register by hand, or wait.');
  });

  test('ends at once where the pause outlasts it, with the desk told to register', async () => {
    const long = { pauseLeft: () => 2 * HOUR_MS };
    expect(await runScan(takenJob(), runDeps(long))).toMatchObject({
      kind: 'done',
      outcome: 'TOO_LATE',
      reasons: ['PAUSED'],
    });
  });

  test('ends as too late when it has waited for so long, and says why', async () => {
    const late = NOON + HOUR_MS;
    const waiting = { library: 'riverside', reason: 'PAUSED' as const, next_try_at: UNTIL };
    const { progress } = jobData();
    const data = jobData({ progress: { ...progress, seq: 3, state: 'waiting', waiting_for: waiting } });
    const result = await runScan(takenJob({ data }), runDeps({ ...pausedForAnHour, now: () => late }));
    expect(result).toMatchObject({ kind: 'done', outcome: 'TOO_LATE', reasons: ['PAUSED'] });
    if (result.kind !== 'done') return;
    expect(eventStateOf(result.job, false, () => 'Riverside').message).toBe(
      'Riverside is paused. Try again later, or register by hand.',
    );
  });

  test('does not end before it was looked at again what has left for the library, however late it is', async () => {
    const sent = { home: 'midland', home_key: 'midland:7', fields: ['surname'] };
    const late = { ...pausedForAnHour, now: () => NOON + HOUR_MS };
    const result = await runScan(takenJob({ data: jobData({ sent }), starts: 2 }), runDeps(late));
    expect(result).toMatchObject({ kind: 'retry', reason: 'PAUSED', mustLook: true });
    const searched = takenJob({ data: jobData({ sent: { ...sent, create: false } }), starts: 2 });
    expect(await runScan(searched, runDeps(late))).toMatchObject({ kind: 'done', outcome: 'TOO_LATE' });
  });
});

describe('a library that is paused as home library', () => {
  const clock = manualClock();
  const libraries = buildLibraries(
    new Map([['midland', noClient]]),
    { monotonicNow: clock.now, random: () => 1 },
    {
      circuitChanged: () => undefined,
      answered: () => undefined,
      failed: () => undefined,
      reported: () => undefined,
    },
    (_library, side) => (side === 'home' ? HOUR_MS : null),
  );

  test('is not called, and is a library that has not answered', async () => {
    const how = { balance: false, deadline: heldLock().signal, stop: heldLock().signal };
    expect(await queryHome(libraries, 'midland', ['21234000000017'], how)).toEqual({
      kind: 'no_answer',
      reason: 'PAUSED',
      retryAfterMs: HOUR_MS,
    });
  });

  test('is called as lending library, and by no sweep', async () => {
    await expect(libraries.call('midland', () => Promise.resolve('ok'))).resolves.toBe('ok');
    await expect(libraries.callForSweep('midland', () => Promise.resolve('ok'))).rejects.toBeInstanceOf(
      LibraryPaused,
    );
    await expect(libraries.callBeside('midland', () => Promise.resolve('ok'))).resolves.toBe('ok');
  });

  const midland = { library: 'midland', reason: 'PAUSED', retryAfterMs: HOUR_MS } as const;
  const lakeside = { library: 'lakeside', reason: 'NO_ANSWER', retryAfterMs: null } as const;
  const unheard = (...silent: Parameters<typeof tryAgain>[1]['silent'][number][]) =>
    tryAgain('riverside', { silent, refused: [] });

  test('is what the desk hears of where no other is silent, and its end promotes the scan in any case', () => {
    const paused = [{ library: 'midland', side: 'home' }];
    expect(unheard(midland)).toMatchObject({
      library: 'midland',
      reason: 'PAUSED',
      paused,
      otherwise: { outcome: 'HOME_UNREACHABLE', homes: ['midland'], reasons: ['PAUSED'] },
    });
    const both = unheard(midland, lakeside);
    expect(both).toMatchObject({ library: 'lakeside', reason: 'NO_ANSWER', paused });
    expect(both.otherwise.reasons).toBeUndefined();
  });
});

test('a pause that begins in the middle of a run makes the run wait for its end', () => {
  expect(decideFailure(new LibraryPaused('riverside', 'lending', HOUR_MS))).toEqual({
    kind: 'wait',
    library: 'riverside',
    reason: 'PAUSED',
    retryAfterMs: HOUR_MS,
    paused: [{ library: 'riverside', side: 'lending' }],
  });
});
