import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type JobData, type Question, queuedProgress } from '@passport/contract';
import { goOnIfAnswered, readDecision } from '@passport/queue/scans';
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
const CHOICE = {
  question: 'HOME_CHOICE',
  options: ['midland', 'lakeside'],
  home_key: null,
  reasons: [],
  put_ms: 1_700_000_000_000,
  until_ms: 1_900_000_000_000,
} as const;

/** An accepted event that waits for a decision, as a worker left it. */
async function waiting(asks: object = CHOICE, change: Partial<JobData> = {}): Promise<void> {
  await fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id: 'evt_1' }));
  const [job] = await receiver.jobs();
  if (job === undefined) throw new Error('no job');
  const { question: reason } = { ...CHOICE, ...asks } as { question: Question };
  const waiting_for = { library: 'riverside', reason, next_try_at: '2030-01-01T00:00:00.000Z' };
  const progress = { ...job.progress, seq: 3, state: 'waiting', waiting_for };
  await server.call('HSET', KEY, 'data', JSON.stringify({ ...job, asks, progress, ...change }));
}

interface Sent {
  readonly id?: string;
  readonly path?: string;
  readonly library?: string;
  readonly secret?: string;
  readonly data?: object;
  readonly type?: string;
}

function decide(change: Sent = {}) {
  const { id = 'evt_1', path = id, library = 'riverside', secret = SECRET } = change;
  const data = { question: 'HOME_CHOICE', option: 'midland', branch: 'MAIN', operator: 51, ...change.data };
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: change.type ?? 'scan.decided', timestamp, data });
  const { method, headers } = signedRequest({ secret, id, body });
  return read(fetch(`${receiver.url}/webhooks/${library}/${path}/decision`, { method, headers, body }));
}

const kept = (question: Question = 'HOME_CHOICE') => readDecision(receiver.redis, event, question);
const refused = (code: string) => ({ status: 409, body: { code } });

describe('a decision of staff', () => {
  test('is kept with who decided, and the first one holds', async () => {
    await waiting();
    expect(await decide()).toMatchObject({ status: 200, body: { event_id: 'evt_1', option: 'midland' } });
    const stored = await kept();
    expect(stored).toMatchObject({ answer: 'midland', operator: 51 });
    expect((await decide()).status).toBe(200);
    expect(await decide({ data: { option: 'lakeside' } })).toMatchObject(refused('answered_before'));
    expect(await kept()).toEqual(stored);
    expect(receiver.counted).toContain('riverside decision');
  });

  test('of two desks at once is one of the two, and both are told which', async () => {
    for (let round = 0; round < 20; round += 1) {
      await waiting();
      const said = await Promise.all(
        ['midland', 'lakeside'].map((option, index) => decide({ data: { option, operator: 51 + index } })),
      );
      expect(new Set(said.map(({ status }) => status))).toEqual(new Set([200, 409]));
      const won = said[0]?.status === 200 ? 'midland' : 'lakeside';
      expect(await kept()).toMatchObject({ answer: won });
      await server.call('FLUSHALL');
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
    await decide();
    expect(await job?.getState()).toBe('prioritized');
    await delay();
    await goOnIfAnswered(receiver.redis, receiver.queue, event, 'OVERRIDE');
    expect(await job?.getState()).toBe('delayed');
    await goOnIfAnswered(receiver.redis, receiver.queue, event, 'HOME_CHOICE');
    expect(await job?.getState()).toBe('prioritized');
  });

  test.each([
    ['a library that was not found', { option: 'hillside' }, 'no_option'],
    ['another question', { question: 'OVERRIDE', option: 'DOCUMENT_SEEN' }, 'no_question'],
    ['another branch', { branch: 'NORTH' }, 'other_branch'],
  ])('about %s is none', async (_what, data, code) => {
    await waiting();
    expect(await decide({ data })).toMatchObject(refused(code));
    expect([await kept(), await kept('OVERRIDE')]).toEqual([null, null]);
  });

  test('of a reason for an override is one of those that were put', async () => {
    const asks = { ...CHOICE, question: 'OVERRIDE', options: ['DOCUMENT_SEEN'], home_key: 'midland:1' };
    await waiting(asks);
    const override = (option: string) => decide({ data: { question: 'OVERRIDE', option } });
    expect(await override('BECAUSE')).toMatchObject(refused('no_option'));
    expect((await override('DOCUMENT_SEEN')).status).toBe(200);
    expect(await kept('OVERRIDE')).toMatchObject({ answer: 'DOCUMENT_SEEN' });
  });

  test('comes too late once the question has lapsed, the event has ended, or it is cancelled', async () => {
    await waiting({ ...CHOICE, until_ms: Date.now() - 1 });
    expect(await decide()).toMatchObject(refused('no_question'));
    await waiting(CHOICE, { progress: { ...queuedProgress(new Date().toISOString()), state: 'done' } });
    expect(await decide()).toMatchObject(refused('no_question'));
    await waiting();
    await server.call('HSET', KEY, 'progress', '"cancelled"');
    expect(await decide()).toMatchObject(refused('no_question'));
    expect(await kept()).toBeNull();
  });

  test('is signed for this event by its own library, and as what it is', async () => {
    await waiting();
    expect((await decide({ id: 'evt_2', path: 'evt_1' })).status).toBe(401);
    expect((await decide({ secret: OTHER_SECRET })).status).toBe(401);
    expect((await decide({ type: 'consent.answered' })).status).toBe(422);
    expect((await decide({ id: 'evt_9' })).status).toBe(404);
    expect(await kept()).toBeNull();
  });

  test.each([
    ['data.question', { question: 'WHY' }],
    ['data.option', { option: 'mid land' }],
    ['data.option', { option: 7 }],
    ['data.branch', { branch: '' }],
    ['data.operator', { operator: null }],
  ])('that does not fit names the field %s', async (field, data) => {
    await waiting();
    expect(await decide({ data })).toMatchObject({ status: 422, body: { field } });
  });
});
