import { expect, test } from '@jest/globals';
import { addScans, watchEvents } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const add = (...ids: readonly string[]): Promise<void> =>
  addScans(
    fixture.queue,
    ids.map((id) => ({ job: jobData({ event_id: id }), priority: 1 })),
  );
const seen = async (look: Awaited<ReturnType<typeof watchEvents>>) => {
  const { states, isIncomplete } = await look();
  return { states: states.map((state) => `${state.event_id} ${state.state}`), isIncomplete };
};

test('each look shows the events that have changed since the one before, as they are by then', async () => {
  await add('evt_before');
  const look = await watchEvents(fixture.redis, (id) => id);
  expect(await seen(look)).toEqual({ states: [], isIncomplete: false });

  await add('evt_1', 'evt_2');
  expect(await seen(look)).toEqual({ states: ['evt_1 queued', 'evt_2 queued'], isIncomplete: false });
  expect((await seen(look)).states).toEqual([]);

  const job = await fixture.mover.take();
  expect((await seen(look)).states).toEqual([`${job.data.event_id} working`]);
  await fixture.mover.complete(job);
  await fixture.redis.del(`{passport}:scans:${job.id}`);
  expect((await seen(look)).states).toEqual([]);
});

test('from an empty queue on', async () => {
  const look = await watchEvents(fixture.redis, (id) => id);
  await add('evt_1');
  expect(await seen(look)).toEqual({ states: ['evt_1 queued'], isIncomplete: false });
});

test('when more has changed than Redis keeps, it says so', async () => {
  await add('evt_0');
  const look = await watchEvents(fixture.redis, (id) => id);
  // Flushed with all else since the queue was opened.
  await fixture.redis.hset('{passport}:scans:meta', 'opts.maxLenEvents', 1_000);
  for (let part = 0; part < 15; part += 1) {
    await add(...Array.from({ length: 100 }, (_, n) => `evt_${part}_${n}`));
  }
  const { states, isIncomplete } = await seen(look);
  expect(isIncomplete).toBe(true);
  expect(states.at(-1)).toBe('evt_14_99 queued');
  expect((await seen(look)).isIncomplete).toBe(false);
});
