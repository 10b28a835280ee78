import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type StartedRedis, buildScanEvent, signedRequest, startRedis, waitFor } from '@passport/testkit';
import { type ReceiverFixture, SECRET, openReceiver, read } from './receiver-fixture.ts';

let master: StartedRedis;
let replica: StartedRedis;
let receiver: ReceiverFixture;
beforeAll(async () => {
  master = await startRedis();
  replica = await startRedis({ replicaOf: master.port });
  receiver = await openReceiver({ redisUrl: master.url, minReplicas: 1, deadlineMs: 600 });
  await waitFor('the replica to follow', async () => (await send('evt_0')).status === 202, {
    timeoutMs: 15_000,
  });
}, 30_000);
afterAll(async () => {
  await receiver.close();
  await replica.stop();
  await master.stop();
});

const send = (id: string) => {
  const body = buildScanEvent({ cardnumber: id }, { timestamp: new Date().toISOString() });
  return deliver(signedRequest({ secret: SECRET, id, body }));
};
const deliver = (request: RequestInit) => read(fetch(`${receiver.url}/webhooks/riverside`, request));

describe('REDIS_MIN_REPLICAS=1', () => {
  test('an accepted event is in the replica', async () => {
    expect((await send('evt_1')).status).toBe(202);

    expect(await replica.call('EXISTS', '{passport}:scans:riverside.evt_1')).toBe(1);
  });

  test('without the replica it is 503, and 202 once the replica has it', async () => {
    const request = signedRequest({ secret: SECRET, id: 'evt_2', body: buildScanEvent({ cardnumber: '2' }) });
    await replica.kill();
    const refused = await deliver(request);
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('2');

    await replica.restart();
    const accepted = await waitFor(
      'the replica to be back',
      async () => {
        const answer = await deliver(request);
        return answer.status === 202 ? answer : null;
      },
      { timeoutMs: 15_000 },
    );

    expect(accepted.body).toEqual({ event_id: 'evt_2', status: 'accepted', duplicate: true });
    expect(await replica.call('EXISTS', '{passport}:scans:riverside.evt_2')).toBe(1);
    expect((await receiver.jobs()).filter(({ event_id }) => event_id === 'evt_2')).toHaveLength(1);
  }, 30_000);

  test('without the replica states are answered, and what is not queued is answered as ever', async () => {
    await send('evt_3');
    await replica.kill();
    const { headers } = signedRequest({ secret: SECRET, id: 'evt_3', body: '' });
    const state = read(fetch(`${receiver.url}/webhooks/riverside/evt_3`, { headers }));
    const ping = deliver(signedRequest({ secret: SECRET, id: 'evt_4', body: '{"type":"passport.test"}' }));

    expect([(await state).status, (await ping).status]).toEqual([200, 202]);
    await replica.restart();
  });
});
