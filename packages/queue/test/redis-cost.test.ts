import { describe, expect, test } from '@jest/globals';
import { openReceipts } from '@passport/queue/copies';
import { jobIdOf } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { buildClaimCreate, openCreatePlaces, openPatronLocks } from '@passport/queue/locks';
import { addScans } from '@passport/queue/scans';
import { event, jobData, openAdmission, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const LIFE_MS = 10_000;
const NO_LIMITS = { copiesPerHour: 100_000, missesPerHour: 100_000, verdictsPerHour: 100_000 };
const ENDED_AT = '2026-11-25T12:00:00.000Z';

/** How many commands Redis carries out within scripts for the work, by its own statistics. */
async function commandsWithin(work: () => Promise<unknown>): Promise<number> {
  await fixture.server.call('CONFIG', 'RESETSTAT');
  await work();
  const stats = String(await fixture.server.call('INFO', 'commandstats'));
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)];
  const own = /^(eval|evalsha|config.*|info|client.*|hello|ping)$/;
  return counts.reduce((sum, [, name = '', calls]) => sum + (own.test(name) ? 0 : Number(calls)), 0);
}

/** The steps of one event that is copied, each with what it does in Redis. */
function stepsOf(n: number) {
  const eventId = `evt_${n}`;
  const id = jobIdOf('riverside', eventId);
  const homeKey = `midland:${n}`;
  const owner = { event: id, run: 'run-1', sinceMs: n };
  const lock = { name: `riverside:${homeKey}`, run: 'run-1', lifeMs: LIFE_MS };
  const fields = ['surname', 'firstname'];
  const ledger = openLedger(fixture.redis);
  return {
    admission: () => openAdmission(fixture)(event(n)),
    quota: () => ledger.reserveQuota('riverside', eventId, NO_LIMITS),
    async claim() {
      const token = String(await fixture.server.call('GET', `{passport}:scans:${id}:lock`));
      const job = { id, token, data: jobData({ event_id: eventId }) };
      const claim = { library: 'riverside', owner, placeLifeMs: LIFE_MS, unlessCopyOf: homeKey };
      return () => buildClaimCreate(fixture.redis)(job, { ...claim, patronLock: lock });
    },
    place: () => openCreatePlaces(fixture.redis).taken('riverside', owner, LIFE_MS).release(),
    receipt: () =>
      openReceipts(fixture.redis).append(
        { at: ENDED_AT, home: 'midland', lending: 'riverside', homeKey, fields, eventId, patronId: n },
        Date.parse(ENDED_AT),
        LIFE_MS,
      ),
    settle: () => ledger.settle('riverside', eventId, 'COPIED', ENDED_AT, { used: 'copies' }),
    lock: () => openPatronLocks(fixture.redis).taken(lock.name, { event: id, run: 'run-1' })(),
  };
}

/** What the steps cost Redis of an event that is not its library's first. */
async function costsOfLater(): Promise<Readonly<Record<string, number>>> {
  let costs: Record<string, number> = {};
  for (const n of [1, 2, 3]) {
    const steps = stepsOf(n);
    costs = { admission: await commandsWithin(steps.admission) };
    await addScans(fixture.queue, [{ job: jobData({ event_id: `evt_${n}` }), priority: 1 }]);
    await fixture.mover.take();
    costs['quota'] = await commandsWithin(steps.quota);
    costs['claim'] = await commandsWithin(await steps.claim());
    costs['place'] = await commandsWithin(steps.place);
    costs['receipt'] = await commandsWithin(steps.receipt);
    costs['settle'] = await commandsWithin(steps.settle);
    costs['lock'] = await commandsWithin(steps.lock);
  }
  return costs;
}

describe('what a copy costs Redis', () => {
  test('is no more commands within our scripts than the account has', async () => {
    expect(await costsOfLater()).toEqual({
      admission: 12,
      quota: 10,
      claim: 9,
      place: 2,
      receipt: 7,
      settle: 9,
      lock: 2,
    });
  });
});

test('a job that waits repeats nothing of what is as at the beginning, nor its id', async () => {
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
  const stored = await fixture.redis.hmget(
    `{passport}:scans:${jobIdOf('riverside', 'evt_1')}`,
    'data',
    'opts',
  );
  const [data, opts] = stored.map((text) => JSON.parse(text ?? 'null') as Record<string, unknown>);

  expect(data).toHaveProperty('v', 2);
  expect(data).toHaveProperty('progress', {});
  expect(data).not.toHaveProperty('made');
  expect(opts).toMatchObject({ priority: 1, backoff: expect.anything(), attempts: expect.any(Number) });
  expect(opts).not.toHaveProperty('jobId');
});
