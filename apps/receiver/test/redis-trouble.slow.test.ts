import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type FaultProxy,
  type StartedRedis,
  buildScanEvent,
  freePort,
  leakGuard,
  signedRequest,
  startFaultProxy,
  startRedis,
  waitFor,
} from '@passport/testkit';
import { type ReceiverFixture, SECRET, openReceiver, read } from './receiver-fixture.ts';

const own = leakGuard({ beforeEach, afterEach });

const DEADLINE_MS = 500;
/** A person waits: an answer that takes longer than this counts as none. */
const NEVER_MS = 4 * DEADLINE_MS;

async function decrypt(redisUrl: string, waitForRedis = true): Promise<ReceiverFixture> {
  return own(await openReceiver({ redisUrl, deadlineMs: DEADLINE_MS, waitForRedis }));
}

async function behindProxy(): Promise<{
  server: StartedRedis;
  proxy: FaultProxy;
  receiver: ReceiverFixture;
}> {
  const server = own(await startRedis());
  const proxy = own(await startFaultProxy({ target: server.port }));
  return { server, proxy, receiver: await decrypt(`redis://127.0.0.1:${proxy.port}`) };
}

async function send(receiver: ReceiverFixture, id = 'evt_1', body = buildScanEvent()) {
  const start = performance.now();
  const answer = await read(
    fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id, body })),
  );
  expect(performance.now() - start).toBeLessThan(NEVER_MS);
  return answer;
}

async function readState(receiver: ReceiverFixture) {
  const start = performance.now();
  const { headers } = signedRequest({ secret: SECRET, id: 'evt_1', body: '' });
  const answer = await read(fetch(`${receiver.url}/webhooks/riverside/evt_1`, { headers }));
  expect(performance.now() - start).toBeLessThan(NEVER_MS);
  return answer;
}

async function expectUnavailable(receiver: ReceiverFixture): Promise<void> {
  const answer = await send(receiver, 'evt_1', EVENT);
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(answer.headers.get('retry-after')).toBe('2');
}

/** The sender tries again until it is accepted, as the answers say; then the event is there once. */
async function expectRecovery(receiver: ReceiverFixture): Promise<void> {
  await waitFor(
    'the event to be accepted',
    async () => (await send(receiver, 'evt_1', EVENT)).status === 202,
    { timeoutMs: 15_000 },
  );
  expect((await receiver.jobs()).map(({ event_id }) => event_id)).toEqual(['evt_1']);
}

const EVENT = buildScanEvent();

describe('an event is answered 503 in time, and accepted when the trouble is over:', () => {
  test('Redis was never there', async () => {
    const port = await freePort();
    const receiver = await decrypt(`redis://127.0.0.1:${port}`, false);
    await expectUnavailable(receiver);

    own(await startRedis({ port }));

    await expectRecovery(receiver);
  });

  test('Redis is killed and starts again', async () => {
    const server = own(await startRedis());
    const receiver = await decrypt(server.url);
    await server.kill();
    await expectUnavailable(receiver);
    expect((await readState(receiver)).status).toBe(503);

    await server.restart();

    await expectRecovery(receiver);
  });

  test('the line to Redis is cut', async () => {
    const { proxy, receiver } = await behindProxy();
    await proxy.setMode('refuse');
    await expectUnavailable(receiver);

    await proxy.setMode('pass');

    await expectRecovery(receiver);
  });

  test('the line swallows everything: the connection is given up and made anew', async () => {
    const { proxy, receiver } = await behindProxy();
    await proxy.setMode('blackhole');
    await expectUnavailable(receiver);
    await waitFor('the connection to be given up', () => receiver.redis.status !== 'ready', {
      timeoutMs: 15_000,
    });

    await proxy.setMode('pass');

    await expectRecovery(receiver);
  }, 40_000);

  test('Redis is frozen: what was answered 503 does not run when it thaws, unless it is sent again', async () => {
    const server = own(await startRedis());
    const receiver = await decrypt(server.url);
    server.freeze();
    await expectUnavailable(receiver);
    server.thaw();
    await waitFor('Redis to have seen the event', () =>
      server.call('EXISTS', '{passport}:idempotency:riverside.evt_1').then((seen) => seen === 1),
    );
    await send(receiver, 'evt_2', buildScanEvent({ cardnumber: '21234000000018' }));
    expect((await receiver.jobs()).map(({ event_id }) => event_id)).toEqual(['evt_2']);

    expect((await send(receiver, 'evt_1', EVENT)).body).toEqual({
      event_id: 'evt_1',
      status: 'accepted',
      duplicate: true,
    });
    expect(await receiver.jobs()).toHaveLength(2);
  });

  test('Redis is full', async () => {
    const server = own(await startRedis({ args: ['--maxmemory-policy', 'noeviction'] }));
    const receiver = await decrypt(server.url);
    await server.call('CONFIG', 'SET', 'maxmemory', '1');
    await expectUnavailable(receiver);

    await server.call('CONFIG', 'SET', 'maxmemory', '0');

    await expectRecovery(receiver);
  });

  test('Redis becomes a read-only replica, and a master again', async () => {
    const server = own(await startRedis());
    const receiver = await decrypt(server.url);
    await server.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    await expectUnavailable(receiver);

    await server.call('REPLICAOF', 'NO', 'ONE');

    await expectRecovery(receiver);
  });

  test('Redis forgot the scripts', async () => {
    const server = own(await startRedis());
    const receiver = await decrypt(server.url);
    expect((await send(receiver, 'evt_0', buildScanEvent({ cardnumber: '1' }))).status).toBe(202);
    await server.call('SCRIPT', 'FLUSH');

    expect((await send(receiver)).status).toBe(202);
    expect(await receiver.jobs()).toHaveLength(2);
  });

  test('the connection breaks between admission and queue: the redelivery adds the event', async () => {
    const { server, proxy, receiver } = await behindProxy();
    await send(receiver, 'evt_0', buildScanEvent({ cardnumber: '1' }));
    await server.call('FLUSHALL');
    await proxy.setMode({ kind: 'cut', afterBytes: 1, direction: 'answer' });
    expect((await send(receiver, 'evt_1', EVENT)).status).toBe(503);

    await proxy.setMode('pass');

    await expectRecovery(receiver);
  });
});

test('whatever happens to Redis, nothing of an event appears in the log', async () => {
  const { server, proxy, receiver } = await behindProxy();
  await server.call('CONFIG', 'SET', 'maxmemory', '1');
  await send(receiver);
  await proxy.setMode('reset');
  await send(receiver);
  await proxy.setMode('blackhole');
  await send(receiver);

  expect(receiver.logged()).toContain('"redis":"full"');
  expect(receiver.logged()).toContain('Redis does not answer');
  expect(receiver.logged()).not.toMatch(/21234000000017|39999000012345|sealed|whsec_|MAIN/);
});
