import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type JobData, parseWebhookSecret, queuedProgress, signDelivery } from '@passport/contract';
import type { ReplicaCheck } from '@passport/queue/redis';
import { goOnIfAnswered, readConsent } from '@passport/queue/scans';
import { signedRequest, startRedis, type StartedRedis } from '@passport/testkit';
import { type ReceiverFixture, OTHER_SECRET, SECRET, openReceiver, read } from './receiver-fixture.ts';

let server: StartedRedis;
let receiver: ReceiverFixture;
beforeAll(async () => {
  server = await startRedis();
  receiver = await openReceiver({ redisUrl: server.url });
});
afterEach(() => server.call('FLUSHALL'));
afterAll(async () => {
  await receiver.close();
  await server.stop();
});

const event = { library: 'riverside', event_id: 'evt_1' };
const KEY = '{passport}:scans:riverside.evt_1';
const QUESTION = {
  home: 'midland',
  home_key: 'midland:1',
  text_id: 'v1',
  texts: { en: 'May we?' },
  put_ms: 1_700_000_000_000,
  until_ms: 1_900_000_000_000,
};
const otherWait: JobData['progress'] = {
  ...queuedProgress('2026-11-26T09:00:00.000Z'),
  state: 'waiting',
  waiting_for: { library: 'riverside', reason: 'PAUSED', next_try_at: '2030-01-01T00:00:00.000Z' },
};
const accept = (id: string) =>
  fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id }));

/** An accepted event that waits for the answer, as a worker left it. */
async function waiting(change: Partial<JobData> = {}): Promise<void> {
  await accept('evt_1');
  const [job] = await receiver.jobs();
  if (job === undefined) throw new Error('no job');
  const waiting_for = { library: 'riverside', reason: 'CONSENT', next_try_at: '2030-01-01T00:00:00.000Z' };
  const progress = { ...job.progress, seq: 3, state: 'waiting', waiting_for };
  await server.call('HSET', KEY, 'data', JSON.stringify({ ...job, question: QUESTION, progress, ...change }));
}

interface Sent {
  readonly id?: string;
  readonly path?: string;
  readonly library?: string;
  readonly secret?: string;
  readonly data?: object;
  readonly body?: string;
  readonly saidSecondsAgo?: number;
}

function answer(change: Sent = {}, url = receiver.url) {
  const { id = 'evt_1', path = id, library = 'riverside', secret = SECRET, saidSecondsAgo = 0 } = change;
  const data = { answer: 'yes', text_id: 'v1', operator: 51, ...change.data };
  const timestamp = new Date(Date.now() - saidSecondsAgo * 1_000).toISOString();
  const body = change.body ?? JSON.stringify({ type: 'consent.answered', timestamp, data });
  const { method, headers } = signedRequest({ secret, id, body });
  return read(fetch(`${url}/webhooks/${library}/${path}/consent`, { method, headers, body }));
}

const kept = () => readConsent(receiver.redis, event);

describe("a patron's answer", () => {
  test('is kept with text, staff and time, and the first one holds', async () => {
    await waiting();
    const before = Date.now();

    const first = await answer({ saidSecondsAgo: 20 });
    expect(first).toMatchObject({ status: 200, body: { event_id: 'evt_1', answer: 'yes' } });
    const stored = await kept();
    expect(stored).toMatchObject({ answer: 'yes', text_id: 'v1', operator: 51 });
    const after = Date.now();
    expect(stored?.at_ms).toBeGreaterThanOrEqual(before - 20_000 - (after - before));
    expect(stored?.at_ms).toBeLessThanOrEqual(after - 19_000);

    expect((await answer()).status).toBe(200);
    expect(await answer({ data: { answer: 'no' } })).toMatchObject({
      status: 409,
      body: { code: 'answered_before' },
    });
    // the same word to another text is another answer
    expect(await answer({ data: { text_id: 'v2' } })).toMatchObject({
      status: 409,
      body: { code: 'answered_before' },
    });
    expect(await kept()).toEqual(stored);
    expect(receiver.counted).toContain('riverside consent');
  });

  test('is confirmed only once the replicas have it, and may be repeated until then', async () => {
    let isReplicated = false;
    const waitingFor: string[] = [];
    const replicated: ReplicaCheck = async (events) => {
      waitingFor.push(...events.map(({ eventId }) => eventId));
      return isReplicated;
    };
    const careful = await openReceiver({ redisUrl: server.url, replicated });
    try {
      await waiting();
      expect(await answer({}, careful.url)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      isReplicated = true;
      expect(await answer({}, careful.url)).toMatchObject({ status: 200, body: { answer: 'yes' } });
      expect(waitingFor).toEqual(['evt_1', 'evt_1']);
    } finally {
      await careful.close();
    }
  });

  test('has an event that is delayed go on at once, also where it was being delayed just then', async () => {
    await waiting();
    const job = await receiver.queue.getJob('riverside.evt_1');
    const delay = async (): Promise<void> => {
      await server.call('ZREM', '{passport}:scans:prioritized', 'riverside.evt_1');
      const score = (Date.now() + 3_600_000) * 0x1000;
      await server.call('ZADD', '{passport}:scans:delayed', String(score), 'riverside.evt_1');
    };
    await delay();
    expect(await job?.getState()).toBe('delayed');
    await answer();
    expect(await job?.getState()).toBe('prioritized');

    await delay();
    await goOnIfAnswered(receiver.redis, receiver.queue, event, 'CONSENT');
    expect(await job?.getState()).toBe('prioritized');
  });

  test('that is dated before its question was given right after it', async () => {
    const put_ms = Date.now() - 5_000;
    await waiting({ question: { ...QUESTION, put_ms } });
    await answer({ saidSecondsAgo: 3_600 });
    expect(await kept()).toMatchObject({ at_ms: put_ms });
  });

  test('of a scan that was coalesced with the first one is the answer of the first', async () => {
    await waiting();
    await accept('evt_2');
    expect(await receiver.jobs()).toHaveLength(1);
    expect(await answer({ id: 'evt_2' })).toMatchObject({ status: 200, body: { event_id: 'evt_1' } });
    expect(await kept()).toMatchObject({ answer: 'yes' });
  });

  test('for an event that was cancelled is refused', async () => {
    await waiting();
    await server.call('HSET', KEY, 'progress', '"cancelled"');
    expect(await answer()).toMatchObject({ status: 409, body: { code: 'no_question' } });
    expect(await kept()).toBeNull();
  });

  test('without a member of staff is kept without one', async () => {
    await waiting();
    await answer({ data: { operator: null } });
    expect(await kept()).toMatchObject({ operator: null });
  });

  test.each<[string, Partial<JobData>]>([
    ['never put a question', { question: undefined }],
    ['was put with another text', { question: { ...QUESTION, text_id: 'v0' } }],
    ['waits for something else by now', { progress: otherWait }],
  ])('for an event that %s is refused and not kept', async (_what, change) => {
    await waiting(change);
    expect(await answer()).toMatchObject({ status: 409 });
    expect(await kept()).toBeNull();
  });

  test('for an event that has ended, or that nobody knows, is refused', async () => {
    await accept('evt_1');
    expect(await answer()).toMatchObject({ status: 409, body: { code: 'no_question' } });
    expect(await answer({ id: 'evt_none' })).toMatchObject({ status: 404 });
  });

  test.each<[string, Sent]>([
    ['another event', { id: 'evt_2', path: 'evt_1' }],
    ["another library's secret", { secret: OTHER_SECRET }],
  ])('signed for %s is 401', async (_what, change) => {
    await waiting();
    expect(await answer(change)).toMatchObject({ status: 401 });
    expect(await kept()).toBeNull();
  });

  test('of another library finds no event of this id', async () => {
    await waiting();
    expect(await answer({ library: 'lakeside', secret: OTHER_SECRET })).toMatchObject({ status: 404 });
    expect(await kept()).toBeNull();
  });

  test.each<[string, Sent, string]>([
    ['an answer that is neither', { data: { answer: 'maybe' } }, 'data.answer'],
    ['no text', { data: { text_id: undefined } }, 'data.text_id'],
    ['staff by name', { data: { operator: 'Okafor' } }, 'data.operator'],
    ['another type', { body: JSON.stringify({ type: 'scan.cancelled', timestamp: '', data: {} }) }, 'type'],
    ['a time to come', { saidSecondsAgo: -900 }, 'timestamp'],
  ])('with %s is 422 and names the field', async (_what, change, field) => {
    await waiting();
    const refused = await answer(change);
    expect(refused).toMatchObject({ status: 422, body: { field } });
    expect(JSON.stringify(refused.body)).not.toContain('Okafor');
    expect(await kept()).toBeNull();
  });

  test('is no signature of a look at the state, nor the other way round', async () => {
    await waiting();
    const headers = signDelivery({
      secrets: [parseWebhookSecret(SECRET)],
      id: 'evt_1',
      timestamp: Math.floor(Date.now() / 1000),
      body: Buffer.alloc(0),
    });
    const sent = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } };
    expect((await fetch(`${receiver.url}/webhooks/riverside/evt_1/consent`, sent)).status).toBe(400);
    expect(await kept()).toBeNull();
  });
});
