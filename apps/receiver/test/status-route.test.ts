import { describe, expect, test } from '@jest/globals';
import { type EventState, parseWebhookSecret, signDelivery } from '@passport/contract';
import { LenientWorker } from '@passport/queue/bullmq';
import { SCANS } from '@passport/queue/keys';
import { type Redis, closeRedis, createLogger, createRedis } from '@passport/runtime';
import { signedRequest, startRedis, waitFor } from '@passport/testkit';
import { OTHER_SECRET, SECRET, openReceiver, useReceiver, read } from './receiver-fixture.ts';

const receiver = useReceiver();

const accept = (id: string) =>
  fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id }));

function sign(id: string, secret = SECRET, body = '', timestamp = Math.floor(Date.now() / 1000)) {
  return signDelivery({
    secrets: [parseWebhookSecret(secret)],
    id,
    timestamp,
    body: Buffer.from(body),
  });
}

const readState = (id: string, headers: Record<string, string> = sign(id), library = 'riverside') =>
  read(fetch(`${receiver.url}/webhooks/${library}/${id}`, { headers }));

const PROCESSES = '{passport}:processes';
const quiet = createLogger({ name: 'worker', level: 'fatal' });
const waitsFor = async () => ((await readState('evt_1')).body as EventState).waiting_for;

/** A worker that is there, and takes nothing. */
function idleWorker(connection: Redis): LenientWorker {
  const options = { connection, autorun: false };
  return new LenientWorker(SCANS, () => Promise.resolve(), options);
}

describe('the state of an event', () => {
  test('it is answered, and is not to be cached on the way', async () => {
    await accept('evt_1');

    const answer = await readState('evt_1');

    expect(answer).toMatchObject({
      status: 200,
      body: { event_id: 'evt_1', library: 'riverside', state: 'queued', seq: 1, outcome: null },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('while no worker is there it says so, and no longer once one is', async () => {
    await accept('evt_1');
    expect(await waitsFor()).toEqual({ library: 'riverside', reason: 'NO_WORKER', next_try_at: null });

    const connection = createRedis(receiver.server.url, { role: 'worker', log: quiet, name: 'worker' });
    const worker = idleWorker(connection);
    try {
      await worker.waitUntilReady();
      await waitFor('the worker to be seen', async () => (await waitsFor()) === null);
    } finally {
      await worker.close();
      await closeRedis(connection);
    }
    await waitFor('the worker to be missed', async () => (await waitsFor())?.reason === 'NO_WORKER');
  });

  test('a worker that is connected and has been silent for long is none', async () => {
    await accept('evt_1');
    const connection = createRedis(receiver.server.url, { role: 'worker', log: quiet, name: 'worker' });
    const worker = idleWorker(connection);
    try {
      await worker.waitUntilReady();
      await waitFor('its connection to be seen', async () => (await waitsFor()) === null);
      const note = JSON.stringify({ kind: 'worker', version: '1.0.0', host: 'gone' });
      const seenAt = (ms: number) => receiver.redis.hset(PROCESSES, 'w1', `${ms} ${ms} ${note}`);
      await seenAt(Date.now() - 60_000);
      await waitFor('it to be missed', async () => (await waitsFor())?.reason === 'NO_WORKER');
      await seenAt(Date.now());
      await waitFor('it to be seen', async () => (await waitsFor()) === null);
    } finally {
      await worker.close();
      await closeRedis(connection);
    }
  });

  test('it is the same under both ids of a double scan', async () => {
    await accept('evt_1');
    await accept('evt_2');

    expect((await readState('evt_2')).body).toEqual((await readState('evt_1')).body);
  });

  test('of an event that nobody knows it is 404', async () => {
    expect(await readState('evt_none')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('of another library’s event it is 404, though the id is the same', async () => {
    await accept('evt_1');

    const answer = await readState('evt_1', sign('evt_1', OTHER_SECRET), 'lakeside');

    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test.each([
    ['another id', () => sign('evt_2')],
    ['another library’s secret', () => sign('evt_1', OTHER_SECRET)],
    ['a body that is not there', () => sign('evt_1', SECRET, '{}')],
    ['an old timestamp', () => sign('evt_1', SECRET, '', Math.floor(Date.now() / 1000) - 400)],
  ])('signed with %s it is 401', async (_name, headers) => {
    await accept('evt_1');

    expect(await readState('evt_1', headers())).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    });
  });

  test('an unknown library is answered as a bad signature, even with an empty secret', async () => {
    const empty = `whsec_${Buffer.alloc(32).toString('base64')}`;

    expect(await readState('evt_1', sign('evt_1', empty), 'nowhere')).toMatchObject({ status: 401 });
  });

  test('without its headers it is 400 and names the one', async () => {
    expect(await readState('evt_1', {})).toMatchObject({
      status: 400,
      body: { code: 'header_malformed', field: 'webhook-id', detail: 'webhook-id is missing' },
    });
  });

  test('reading it does not count against the rate', async () => {
    const library = receiver.libraries.get('riverside');
    if (library === undefined) throw new Error('riverside is there');
    receiver.libraries.set('riverside', {
      ...library,
      limits: { eventsPerSecond: 0.01, burst: 1, backlog: 10, remembered: 100_000 },
    });
    for (let n = 0; n < 5; n += 1) await readState('evt_1');

    expect((await accept('evt_1')).status).toBe(202);
    receiver.libraries.set('riverside', library);
  });

  test('with Redis away it is 503 with retry-after', async () => {
    const own = await startRedis();
    const cutOff = await openReceiver({ redisUrl: own.url });
    try {
      const readIt = () => read(fetch(`${cutOff.url}/webhooks/riverside/evt_1`, { headers: sign('evt_1') }));
      await fetch(`${cutOff.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id: 'evt_1' }));
      await own.kill();
      const away = await readIt();

      expect(away).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(away.headers.get('retry-after')).toBe('1');
    } finally {
      await cutOff.close();
      await own.stop();
    }
  });
});
