import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@passport/config';
import { formatWebhookSecret } from '@passport/contract';
import { openSweepQueue, readSetUps, writeSetUp } from '@passport/queue/sweeps';
import { createMetrics } from '@passport/runtime';
import { leakGuard, waitFor } from '@passport/testkit';
import type { PauseLeft } from '../src/koha/pauses.ts';
import { beginSlice, SweepPaused } from '../src/koha/slice.ts';
import { buildSweepCalls } from '../src/koha/sweep-calls.ts';
import { setUpMetrics } from '../src/metrics/gauges.ts';
import { doSetUpJob } from '../src/set-up/set-up-job.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type Sweeps, startSweeps } from './start-sweeps.ts';
import { type SweepBench, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis, log, own: ownAll, connect } = await openEmptyRedis();
const queue = ownAll(openSweepQueue(redis));
queue.on('error', () => undefined);

const CARD = '21234000000017';
const JOB = { kind: 'set_up', library: 'riverside' } as const;
const NO_CATEGORY = { categories: [{ patron_category_id: 'AD', name: 'Adult' }] };
const category = { code: 'category_unknown', level: 'fault', name: 'PT' };

let bench: SweepBench;
beforeEach(async () => {
  bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < 2; index += 1) bench.put('midland', index);
});

const faults = async (library = 'riverside') =>
  (await readSetUps(redis)).get(library)?.findings.filter(({ level }) => level === 'fault');

/** A library that was never checked, after a night in which it could not be. */
const notChecked = (code: string, level = 'unchecked') => ({
  at_ms: null,
  findings: [{ code, level, name: null }],
  job: null,
  tries: 0,
  unchecked_since_ms: expect.any(Number),
});

interface How {
  readonly pauseLeft?: PauseLeft;
  readonly now?: () => number;
  readonly isAway?: boolean;
  readonly sliceMs?: number;
}

/** What one check is done with: the calls of a sweep, which never pause. */
function context({ pauseLeft = () => null, now = Date.now, isAway = false, sliceMs = 60_000 }: How = {}) {
  const clock = { now, monotonicNow: () => performance.now() };
  const slice = beginSlice({ sliceMs, lateMs: 60_000 }, clock);
  own({ stop: () => Promise.resolve(slice.end()) });
  const stopping = new AbortController();
  const { consortium } = bench;
  const circuit = (id: string) => ({ ...bench.libraries.circuit(id), isOpen: isAway });
  const libraries = { ...bench.libraries, circuit };
  return {
    consortium,
    redis,
    libraries,
    callsUntil: (signal: AbortSignal) =>
      buildSweepCalls({
        ...clock,
        libraries,
        isBusy: () => Promise.resolve(false),
        pause: () => Promise.resolve(),
        signal,
      }),
    slice,
    stopping: stopping.signal,
    now,
    newId: randomUUID,
    pauseLeft,
    log,
    stop: () => stopping.abort(new SweepPaused(now())),
  };
}

const putOff = async (work: Promise<unknown>): Promise<number> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SweepPaused) return error.untilMs;
  throw new Error('it was not put off', { cause: error });
};

/** A night in which the check could not be made: what is tried a third time, or is left over of it, is given up. */
async function giveUp(night: string, how: How): Promise<void> {
  for (let tries = 0; tries < 2; tries += 1) await putOff(doSetUpJob(night, JOB, context(how)));
  const last = doSetUpJob(night, JOB, context(how));
  if (how.isAway === true) return last;
  await putOff(last);
  await doSetUpJob(night, JOB, context(how));
}

describe('the nightly check of a set-up', () => {
  test('writes down what doctor finds, in codes, and when', async () => {
    bench.lender.putSettings(NO_CATEGORY);
    await doSetUpJob('one', JOB, context({ now: () => 7_000 }));
    expect(await faults()).toContainEqual(category);
    const seen = (await readSetUps(redis)).get('riverside');
    expect(seen).toMatchObject({ at_ms: 7_000, job: null, tries: 0 });
    bench.lender.putSettings({ categories: [{ patron_category_id: 'PT', name: 'Visitors' }] });
    await doSetUpJob('two', JOB, context());
    expect(await faults()).not.toContainEqual(category);
  });

  test('leaves out what the library says is intended', async () => {
    bench.lender.putSettings(NO_CATEGORY);
    const deps = context();
    const libraries = bench.consortium.libraries.map((each) => ({
      ...each,
      ignoreFindings: ['category_unknown' as const],
    }));
    await doSetUpJob('one', JOB, { ...deps, consortium: { ...bench.consortium, libraries } });
    expect((await readSetUps(redis)).get('riverside')?.at_ms).not.toBeNull();
    expect(await faults()).not.toContainEqual(category);
  });

  test('keeps nothing that a Koha says beside codes and words of the configuration', async () => {
    const finding = { finding: 'type_mandatory', level: 'fault', name: CARD, figure: null };
    bench.lender.putSettings({ plugin_findings: [finding, { ...finding, finding: 'something_new' }] });
    await doSetUpJob('one', JOB, context());
    expect(await faults()).toContainEqual({ code: 'attribute_type_mandatory', level: 'fault', name: null });
    expect(await faults()).toContainEqual({ code: 'plugin_finding', level: 'fault', name: null });
    expect(JSON.stringify(await redis.hgetall('{passport}:set-up'))).not.toContain(CARD);
  });

  test('comes to its end without the webhook secrets, which no worker has', async () => {
    bench.lender.putSettings({
      webhook: {
        receiver_url: 'http://127.0.0.1:9',
        secret: formatWebhookSecret(Buffer.alloc(32, 'what riverside signs with')),
        library: 'riverside',
        patterns: [],
        staff_wait_ms: 0,
        self_check_wait_ms: 0,
      },
    });
    const deps = context();
    const libraries = bench.consortium.libraries.map((each) => ({
      ...each,
      webhookSecrets: [new Secret('')],
    }));
    await doSetUpJob('one', JOB, { ...deps, consortium: { ...bench.consortium, libraries } });
    expect((await readSetUps(redis)).get('riverside')?.at_ms).not.toBeNull();
    expect((await faults())?.map(({ code }) => code)).not.toContain('plugin_secret');
  });

  test('sends nothing to a library that is paused, looks again after an hour at most, and counts no try', async () => {
    bench.lender.clearCalls();
    const pauseLeft: PauseLeft = (id, side) => (id === 'riverside' && side === 'home' ? 7_200_000 : null);
    for (let look = 0; look < 5; look += 1) {
      const until = await putOff(doSetUpJob('one', JOB, context({ pauseLeft, now: () => 0 })));
      expect(until).toBe(3_600_000);
    }
    expect(bench.lender.calls()).toEqual([]);
    await doSetUpJob('one', JOB, context());
    expect((await readSetUps(redis)).get('riverside')?.at_ms).not.toBeNull();
  });

  test('sends nothing to a library that is away, and says so after three tries', async () => {
    bench.lender.clearCalls();
    for (let tries = 0; tries < 2; tries += 1)
      expect(await putOff(doSetUpJob('one', JOB, context({ isAway: true, now: () => 0 })))).toBe(1_200_000);
    expect((await readSetUps(redis)).get('riverside')?.findings).toEqual([]);
    await doSetUpJob('one', JOB, context({ isAway: true }));
    expect((await readSetUps(redis)).get('riverside')).toEqual(notChecked('unreachable'));
    expect(bench.lender.calls()).toEqual([]);
  });

  test('one that could not be made says nothing of the set-up: what the night before found stays, with its time', async () => {
    const fault = { code: 'plugin_off', level: 'fault', name: null } as const;
    await writeSetUp(redis, 'riverside', { at_ms: 5, findings: [fault], job: null, tries: 0 });
    await giveUp('one', { isAway: true });
    expect((await readSetUps(redis)).get('riverside')).toEqual({
      ...notChecked('unreachable'),
      at_ms: 5,
      findings: [fault, ...notChecked('unreachable').findings],
    });
    await doSetUpJob('two', JOB, context());
    expect(await faults()).not.toContainEqual(fault);
  });

  test.each([
    [
      'GET /patron_categories',
      NO_CATEGORY,
      category,
      { categories: [{ patron_category_id: 'PT', name: 'Visitors' }] },
    ],
    [
      'POST /contrib/passport/check',
      { plugin_findings: [{ finding: 'tables_missing', level: 'fault', name: null, figure: null }] },
      { code: 'plugin_tables', level: 'fault', name: null },
      { plugin_findings: [] },
    ],
  ])(
    'what a failing %s hides in a night has not been repaired',
    async (operation, settings, fault, repaired) => {
      bench.lender.putSettings(settings);
      await doSetUpJob('one', JOB, context());
      expect(await faults()).toContainEqual(fault);
      bench.lender.addFaults([{ operation, times: 500, kind: 'status', status: 500 }]);
      await doSetUpJob('two', JOB, context());
      expect(await faults()).toContainEqual(fault);
      bench.lender.clearFaults();
      bench.lender.putSettings(repaired);
      await doSetUpJob('three', JOB, context());
      expect(await faults()).not.toContainEqual(fault);
    },
  );

  test('the second night in a row without a check is a fault, whatever the reason, until a check is made', async () => {
    const seen = async () => (await readSetUps(redis)).get('riverside');
    await giveUp('one', { isAway: true, now: () => 1_000 });
    expect(await faults()).toEqual([]);
    await giveUp('two', { isAway: true, now: () => 2_000 });
    const fault = { ...notChecked('unreachable', 'fault'), unchecked_since_ms: 1_000 };
    expect(await seen()).toEqual(fault);
    // Of desks that are served all night long an operator would not hear, either.
    await giveUp('three', { sliceMs: -1, now: () => 3_000 });
    expect(await seen()).toEqual({ ...fault, findings: notChecked('no_answer', 'fault').findings });
    await doSetUpJob('four', JOB, context({ now: () => 4_000 }));
    expect(await seen()).toMatchObject({ at_ms: 4_000 });
    expect(await seen()).not.toHaveProperty('unchecked_since_ms');
    expect(await faults()).not.toContainEqual(notChecked('no_answer', 'fault').findings[0]);
  });

  test('one that failed in the middle, and cannot be made the next night, stays a fault', async () => {
    const fault = { code: 'no_answer', level: 'fault', name: null } as const;
    await writeSetUp(redis, 'riverside', { at_ms: 5, findings: [fault], job: null, tries: 0 });
    await giveUp('one', { isAway: true });
    expect(await faults()).toEqual(notChecked('unreachable', 'fault').findings);
  });

  test('a Koha that fails in the middle is tried three times as well, and has that fault if it still does', async () => {
    bench.lender.addFaults([{ operation: 'GET /patrons', times: 500, kind: 'status', status: 503 }]);
    await putOff(doSetUpJob('one', JOB, context()));
    await putOff(doSetUpJob('one', JOB, context()));
    expect(await faults()).toEqual([]);
    await doSetUpJob('one', JOB, context());
    expect(await faults()).toContainEqual({ code: 'no_answer', level: 'fault', name: null });
  });

  test('a Koha that breaks off is tried three times in a night, one call each, and no finding is made of the first two', async () => {
    bench.lender.addFaults([{ operation: '*', times: 500, kind: 'reset_before' }]);
    bench.lender.clearCalls();
    await putOff(doSetUpJob('one', JOB, context()));
    await putOff(doSetUpJob('one', JOB, context()));
    expect((await readSetUps(redis)).get('riverside')?.findings).toEqual([]);
    await doSetUpJob('one', JOB, context());
    expect((await readSetUps(redis)).get('riverside')).toEqual(notChecked('unreachable'));
    expect(bench.lender.calls().length).toBeLessThanOrEqual(3);
  });

  test('a check that takes its slice, also by giving way, or kills its worker is begun three times, and is not made then', async () => {
    await writeSetUp(redis, 'riverside', { at_ms: 5, findings: [], job: 'one', tries: 2 });
    await putOff(doSetUpJob('one', JOB, context({ sliceMs: -1 })));
    bench.lender.clearCalls();
    await doSetUpJob('one', JOB, context());
    expect((await readSetUps(redis)).get('riverside')).toEqual({ ...notChecked('no_answer'), at_ms: 5 });
    expect(bench.lender.calls()).toEqual([]);
    await doSetUpJob('the next night', JOB, context());
    const { findings } = (await readSetUps(redis)).get('riverside') ?? {};
    expect(findings).not.toContainEqual(notChecked('no_answer').findings[0]);
  });

  test('a worker that stops takes no try from the next one', async () => {
    const stopped = context();
    stopped.stop();
    await putOff(doSetUpJob('one', JOB, stopped));
    expect((await readSetUps(redis)).get('riverside')).toMatchObject({ job: 'one', tries: 0 });
  });

  test('a library that is gone or shut out since is not called, and what was found of it goes', async () => {
    await writeSetUp(redis, 'former', { at_ms: 5, findings: [], job: null, tries: 0 });
    const deps = context();
    const libraries = bench.consortium.libraries.map((each) => ({ ...each, enabled: false }));
    await doSetUpJob('one', JOB, { ...deps, consortium: { ...bench.consortium, libraries } });
    expect(bench.calls(bench.lender)).toEqual([]);
    await expect(doSetUpJob('one', { ...JOB, library: 'former' }, deps)).rejects.toThrow('former is not in');
    const workers = await startWorkers(1);
    expect([...(await readSetUps(redis)).keys()]).toEqual([]);
    await Promise.all(workers.map((worker) => worker.stop()));
  });
});

let atMs = Date.now();
const startWorkers = (count: number): Promise<readonly Sweeps[]> =>
  Promise.all(
    Array.from({ length: count }, () => startSweeps(bench, { redis, log, connect }, { now: () => atMs })),
  );

test('three workers check each library once a night', async () => {
  atMs = new Date(2026, 10, 25, 12).getTime();
  const workers = await startWorkers(3);
  const checks = () =>
    bench.lender.calls().filter(({ operation }) => operation === 'POST /contrib/passport/check').length;
  expect(checks()).toBe(0);
  for (const night of [26, 27]) {
    atMs = new Date(2026, 10, night, 6).getTime();
    await Promise.all(workers.map(({ queueNights }) => queueNights()));
    await waitFor('both to be checked', async () => {
      const seen = [...(await readSetUps(redis)).values()];
      return (seen.length === 2 && seen.every(({ at_ms }) => at_ms === atMs)) || undefined;
    });
    await Promise.all(workers.map(({ queueNights }) => queueNights()));
    await waitFor(
      'the queue to be empty',
      async () => (await queue.getJobCountByTypes('wait', 'active')) === 0 || undefined,
    );
    expect(checks()).toBe(night - 25);
  }
  await Promise.all(workers.map((worker) => worker.stop()));
});

test('the faults are counted for the library that has them, and for no other', async () => {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  setUpMetrics(registry, () => readSetUps(redis));
  const fault = { code: 'plugin_off', level: 'fault', name: null } as const;
  const seen = { at_ms: 1, job: null, tries: 0 };
  await writeSetUp(redis, 'riverside', { ...seen, findings: [fault, fault, { ...fault, level: 'warning' }] });
  await writeSetUp(redis, 'midland', { ...seen, findings: [{ ...fault, level: 'warning' }] });
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('passport_setup'));
  expect(lines).toEqual(['passport_setup_findings{library="riverside"} 2']);
});
