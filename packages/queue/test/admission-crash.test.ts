import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openLedger } from '@passport/queue/ledger';
import { addScans } from '@passport/queue/scans';
import {
  type QueueFixture,
  entered,
  jobData,
  openQueueFixture,
  question,
  openAdmission,
} from './queue-fixture.ts';

let fixture: QueueFixture;
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterAll(() => fixture.close());

const NOW = '2026-11-25T12:00:00.000Z';
const number = (below: number) => fc.integer({ min: 0, max: below - 1 });

/** A delivery whose receiver may die between admission and queue, or a worker that ends the next job, or retention. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), id: number(4), dies: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('work' as const), removed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ten seconds' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Ids 0 and 1 scan one card, 2 and 3 another. */
const deliveryOf = (id: number) =>
  question({ eventId: `evt_${id}`, bodyHashes: [`key1:body${id}`], scanHash: `key1:scan${id >> 1}` });

/** Runs the steps; returns how often each event was worked on, and who got a 202 for whom. */
async function run(steps: readonly Step[]) {
  await fixture.clear();
  const admit = openAdmission(fixture);
  const ledger = openLedger(fixture.redis);
  const worked = new Map<string, number>();
  const acknowledged = new Set<string>();
  const work = async (removed: boolean): Promise<void> => {
    if ((await fixture.queue.getJobCountByTypes('prioritized')) === 0) return;
    const job = await fixture.mover.take();
    worked.set(job.data.event_id, (worked.get(job.data.event_id) ?? 0) + 1);
    await ledger.settle('riverside', job.data.event_id, 'COPIED', NOW, { used: 'copies' });
    await fixture.mover.complete(job);
    if (removed) await job.remove();
  };
  for (const each of steps) {
    if (each.kind === 'work') await work(each.removed);
    else if (each.kind === 'ten seconds')
      await fixture.server.call(
        'DEL',
        '{passport}:coalescing:riverside:key1:scan0',
        '{passport}:coalescing:riverside:key1:scan1',
      );
    else {
      const answer = entered(await admit(deliveryOf(each.id)));
      if (answer.add && each.dies) continue;
      const job = jobData({ event_id: answer.eventId });
      if (answer.add) await addScans(fixture.queue, [{ job, priority: answer.priority }]);
      acknowledged.add(answer.eventId);
    }
  }
  for (let left = 0; left < 4; left += 1) await work(false);
  return { worked, acknowledged };
}

test('whatever dies between admission and queue, an acknowledged event is worked on once and only once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const { worked, acknowledged } = await run(steps);
      expect(new Set(worked.keys())).toEqual(acknowledged);
      expect([...worked.values()].every((times) => times === 1)).toBe(true);
    }),
    { numRuns: 120 },
  );
});
