import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type AdmissionAnswer, buildAdmission } from '@passport/queue/admission';
import { event, useQueueFixture, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture();
const admit = openAdmission(fixture);

const RATE_KEY = '{passport}:rate:riverside';
const slow = { eventsPerSecond: 1, burst: 3, backlog: 10_000, remembered: 100_000 };
const request = (n: number, change: Parameters<typeof event>[1] = {}): Promise<AdmissionAnswer> =>
  admit(event(n, { limits: slow, ...change }));

async function useUpBurst(): Promise<void> {
  for (let n = 0; n < slow.burst; n += 1) await request(n);
}

describe('the rate of a library', () => {
  test('a whole burst passes at once, and the next event gets the time at which it may come', async () => {
    const answers = [await request(1), await request(2), await request(3)];
    expect(answers.map(({ kind }) => kind)).toEqual(['new', 'new', 'new']);

    const refused = await request(4);

    expect(refused).toEqual({ kind: 'rate_limited', retryAfterMs: expect.any(Number) });
    const { retryAfterMs } = refused as Extract<AdmissionAnswer, { kind: 'rate_limited' }>;
    expect(retryAfterMs).toBeGreaterThan(500);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
  });

  test('a refused event leaves no idempotency key: it is new when it comes again', async () => {
    const quick = { eventsPerSecond: 20, burst: 1, backlog: 10_000, remembered: 100_000 };
    await request(1, { limits: quick });
    await request(2, { limits: quick });

    const later = await waitFor('the event to be let in', async () => {
      const answer = await request(2, { limits: quick });
      return answer.kind === 'rate_limited' ? null : answer;
    });

    expect(later.kind).toBe('new');
  });

  test('a refused event takes nothing from the rate, so that hammering does not shut a library out', async () => {
    await useUpBurst();
    const first = (await request(9)) as Extract<AdmissionAnswer, { kind: 'rate_limited' }>;
    for (let n = 0; n < 20; n += 1) await request(9);

    const last = (await request(9)) as Extract<AdmissionAnswer, { kind: 'rate_limited' }>;

    expect(last.retryAfterMs).toBeLessThanOrEqual(first.retryAfterMs);
  });

  test.each(['rate', 'look'] as const)(
    'a delivery that is only looked at (%s) counts as well',
    async (mode) => {
      const answers: string[] = [];
      for (let n = 0; n < 4; n += 1) answers.push((await request(n, { mode })).kind);

      expect(answers).toEqual(['pass', 'pass', 'pass', 'rate_limited']);
    },
  );

  test('duplicates take their share too', async () => {
    await request(1);
    await request(1);
    await request(1);

    expect((await request(1)).kind).toBe('rate_limited');
  });

  test('one library’s burst leaves another’s rate alone', async () => {
    await useUpBurst();

    expect((await request(1, { library: 'lakeside' })).kind).toBe('new');
  });

  /** What is stored of the rate, as if it had been written when the clock stood `byMs` later: it was set back since. */
  async function setClockBack(byMs: number): Promise<void> {
    const stored = String(await fixture.server.call('GET', RATE_KEY));
    const later = stored.split('.').map((us) => String(Number(us) + byMs * 1000));
    await fixture.server.call('SET', RATE_KEY, later.join('.'));
  }

  test.each([20, 1_000, 20_000, 3_600_000])(
    'nobody of a sane library waits when the clock was set back by %i ms, and the next ones neither',
    async (byMs) => {
      const limits = { eventsPerSecond: 1, burst: 40, backlog: 10_000, remembered: 100_000 };
      const kinds: string[] = [];
      for (let n = 0; n < 20; n += 1) {
        if (n === 5 || n === 12) await setClockBack(byMs);
        kinds.push((await request(n, { limits })).kind);
      }

      expect(kinds).toEqual(Array.from({ length: 20 }, () => 'new'));
    },
  );

  test('a clock that is set back gives no new burst, and what a refused event waits for grows less', async () => {
    await useUpBurst();
    await setClockBack(3_600_000);
    const refused = (await request(7)) as Extract<AdmissionAnswer, { kind: 'rate_limited' }>;
    expect(refused).toMatchObject({ kind: 'rate_limited' });
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1_000);

    const later = await waitFor('the event to be let in', async () => {
      const answer = await request(7);
      return answer.kind === 'rate_limited' ? null : answer;
    });
    expect(later.kind).toBe('new');
  });

  test.each([
    ['by a receiver of the version before', (us: number) => String(us + 3_600_000_000)],
    ['under limits that were much lower', (us: number) => `${us + 3_600_000_000}.${us}`],
  ])('a rate that was written %s and lies far in the future lets a burst in', async (_how, stored) => {
    await fixture.server.call('SET', RATE_KEY, stored((await fixture.redisNow()) * 1000));

    expect((await request(1)).kind).toBe('new');
  });

  test('what it writes is a number for a receiver of the version before', async () => {
    const before = (await fixture.redisNow()) * 1000;
    await request(1);
    const now = (await fixture.redisNow()) * 1000;

    const read = Number(await fixture.server.call('GET', RATE_KEY));
    expect(read).toBeGreaterThan(before);
    expect(read).toBeLessThanOrEqual(now + 1_001_000);
  });

  test('a library that is quiet leaves nothing behind', async () => {
    await request(1);

    const lifeMs = Number(await fixture.server.call('PTTL', RATE_KEY));
    expect(lifeMs).toBeGreaterThan(0);
    expect(lifeMs).toBeLessThanOrEqual(2_001);
  });

  test('deliveries that come together are admitted in their order', async () => {
    const limits = { eventsPerSecond: 1, burst: 2, backlog: 10_000, remembered: 100_000 };
    const answers = await buildAdmission(fixture.redis)([1, 2, 3].map((n) => event(n, { limits })));

    expect(answers.map(({ kind }) => kind)).toEqual(['new', 'new', 'rate_limited']);
  });
});
