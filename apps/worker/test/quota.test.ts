import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { QuotaReservation } from '@passport/queue/ledger';
import { leakGuard, waitFor } from '@passport/testkit';
import { buildQuota } from '../src/provision/quota.ts';
import type { Retry } from '../src/provision/result.ts';
import { manualClock } from './builders.ts';
import { consortiumOf, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

const scan = { lending: 'riverside', eventId: 'evt_1' };
const used: QuotaReservation = { kind: 'limit_reached', limit: 'misses', freeInMs: 900 };

/** The quota over a ledger that answers one reservation after the other. */
async function quotaOf(...answers: QuotaReservation[]) {
  const clock = manualClock(1);
  const { midland, riverside } = own(await openWorkflow());
  const reached: string[] = [];
  const quota = buildQuota(
    consortiumOf([midland, riverside], {}),
    { reserveQuota: () => Promise.resolve(answers.shift() ?? used) },
    (library, limit) => void reached.push(`${library} ${limit}`),
    clock.now,
  );
  return { quota, reached, clock };
}

describe('the hourly quota', () => {
  test('that is used up lets an event wait for the next hour, and is counted', async () => {
    const { quota, reached } = await quotaOf(used);
    expect(await quota.reserve(scan)).toMatchObject({
      kind: 'retry',
      library: 'riverside',
      reason: 'LIMIT_REACHED',
      retryAfterMs: 900,
    });
    expect(reached).toEqual(['riverside misses']);
  });

  test('is ample while the last reservation left two hundred, and not before the first', async () => {
    const { quota } = await quotaOf({ kind: 'reserved', left: 200 }, { kind: 'reserved', left: 199 }, used);
    const seen: boolean[] = [quota.isAmple('riverside')];
    for (let reservation = 0; reservation < 3; reservation += 1) {
      await quota.reserve(scan);
      seen.push(quota.isAmple('riverside'));
    }
    expect(seen).toEqual([false, true, false, false]);
    expect(quota.isAmple('midland')).toBe(false);
  });

  test('is not known to be ample a minute later', async () => {
    const { quota, clock } = await quotaOf({ kind: 'reserved', left: 400 });
    await quota.reserve(scan);
    clock.forward(60_000);
    expect(quota.isAmple('riverside')).toBe(true);
    clock.forward(1);
    expect(quota.isAmple('riverside')).toBe(false);
  });
});

describe('a look-up', () => {
  test('waits for its reservation', async () => {
    const workflow = own(await openWorkflow());
    const limited: Retry = {
      kind: 'retry',
      library: 'riverside',
      reason: 'LIMIT_REACHED',
      retryAfterMs: 900,
      otherwise: { outcome: 'TOO_LATE' },
    };
    const quota = { reserve: () => Promise.resolve(limited), isAmple: () => false };
    const decision = waitOf(await workflow.run({ item: null }, { quota }));
    expect(decision.job.progress.waiting_for).toMatchObject({ reason: 'LIMIT_REACHED' });
    expect(workflow.calls()).toEqual([]);
  });

  test('does not wait where the quota is ample, and counts for nothing when it is used up after all', async () => {
    const workflow = own(await openWorkflow());
    let answer: ((limited: Retry | null) => void) | undefined;
    const reserve = (): Promise<Retry | null> => new Promise((resolve) => (answer = resolve));
    const running = workflow.run({ item: null }, { quota: { reserve, isAmple: () => true } });
    await waitFor('the look-up', () => workflow.calls().length > 0);
    answer?.({
      kind: 'retry',
      library: 'riverside',
      reason: 'LIMIT_REACHED',
      retryAfterMs: 900,
      otherwise: { outcome: 'TOO_LATE' },
    });

    const decision = waitOf(await running);
    expect(decision.job.progress).toMatchObject({ outcome: null, waiting_for: { reason: 'LIMIT_REACHED' } });
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });
});
