import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  buildScanEvent,
  freePort,
  leakGuard,
  openRaw,
  rawRequest,
  seededRandom,
  signedRequest,
  startFaultProxy,
  startProcess,
  startRedis,
  waitFor,
} from '@passport/testkit';
import { type LoneReceiver, receiverCommand, startReceiver } from '../harness/start-receiver.ts';

const own = leakGuard({ beforeEach, afterEach });

const scanOf = (card: string) => buildScanEvent({ cardnumber: card });
const requestOf = (receiver: LoneReceiver, id: string, card = id) =>
  signedRequest({ secret: receiver.secrets.riverside, id, body: scanOf(card) });
const send = (receiver: LoneReceiver, request: ReturnType<typeof requestOf>): Promise<Response> =>
  fetch(`${receiver.url}/webhooks/riverside`, request);
const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status;
const readiness = (receiver: LoneReceiver): Promise<number> => statusOf(fetch(`${receiver.adminUrl}/readyz`));

describe('starting', () => {
  test('a broken configuration lists every problem and exits 1 before touching the network', async () => {
    const network = own(await startFaultProxy({ target: 9 }));
    const receiver = await startProcess(
      receiverCommand({
        PASSPORT_CONFIG: '/nonexistent/passport.yaml',
        PASSPORT_KEY: 'c2hvcnQ=',
        REDIS_URL: `redis://127.0.0.1:${network.port}`,
        RECEIVER_PORT: 'eighty',
        SHUTDOWN_GRACE: 'soon',
      }),
    );

    expect(await receiver.exited).toEqual({ code: 1, signal: null });
    const output = receiver.output();
    for (const name of ['PASSPORT_CONFIG', 'PASSPORT_KEY', 'RECEIVER_PORT', 'SHUTDOWN_GRACE']) {
      expect(output).toContain(name);
    }
    expect(output).not.toContain('c2hvcnQ=');
    expect(network.accepted()).toBe(0);
  });

  test('without Redis it listens, says that it is not ready and answers 503, and recovers by itself', async () => {
    const port = await freePort();
    const receiver = own(await startReceiver({ redisUrl: `redis://127.0.0.1:${port}`, redisIsAway: true }));
    expect(await readiness(receiver)).toBe(503);
    const refused = await send(receiver, requestOf(receiver, 'evt_1'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);

    own(await startRedis({ port }));

    await waitFor('an event to be accepted', async () => {
      const status = await statusOf(send(receiver, requestOf(receiver, 'evt_1')));
      return status === 202;
    });
    expect(await readiness(receiver)).toBe(200);
  });
});

describe('stopping', () => {
  test('what is under way is finished, what comes on a kept connection is 503, and the exit is clean', async () => {
    const redis = own(await startRedis());
    const receiver = own(await startReceiver({ redisUrl: redis.url }));
    const bytesOf = (id: string): Buffer => {
      const { headers, body } = requestOf(receiver, id);
      return rawRequest({ line: 'POST /webhooks/riverside', headers: Object.entries(headers), body });
    };
    const kept = openRaw(receiver.port);
    const begun = bytesOf('evt_1');
    kept.write(begun.subarray(0, -5));
    expect((await send(receiver, requestOf(receiver, 'evt_0'))).status).toBe(202);

    receiver.process.kill('SIGTERM');
    await waitFor('the receiver to be stopping', async () => (await readiness(receiver)) === 503);
    kept.write(Buffer.concat([begun.subarray(-5), bytesOf('evt_2')]));

    expect((await kept.answer()).status).toBe(202);
    const late = await kept.answer();
    expect([late.status, late.headers['retry-after'], late.headers['connection']]).toEqual([
      503,
      '1',
      'close',
    ]);
    await kept.closed;
    expect(await receiver.process.exited).toEqual({ code: 0, signal: null });
    expect(receiver.process.output()).toMatch(/"event":"evt_1","msg":"delivery"[^]*"msg":"stopped"\}\n$/);
    expect(await redis.call('EXISTS', '{passport}:scans:riverside.evt_1')).toBe(1);
    expect(await redis.call('EXISTS', '{passport}:scans:riverside.evt_2')).toBe(0);
  });

  test.each([
    ['away', async (redis: Awaited<ReturnType<typeof startRedis>>) => redis.kill()],
    ['frozen', async (redis: Awaited<ReturnType<typeof startRedis>>) => redis.freeze()],
  ])('with Redis %s it still ends within its grace', async (_name, harm) => {
    const redis = own(await startRedis());
    const receiver = own(await startReceiver({ redisUrl: redis.url }));
    await harm(redis);
    await send(receiver, requestOf(receiver, 'evt_1'));
    const start = performance.now();

    receiver.process.kill('SIGTERM');

    expect(await receiver.process.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test('with a Redis that was never there it still ends within its grace', async () => {
    const receiver = own(
      await startReceiver({ redisUrl: `redis://127.0.0.1:${await freePort()}`, redisIsAway: true }),
    );
    const start = performance.now();
    receiver.process.kill('SIGTERM');

    expect(await receiver.process.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('T-32 secrecy', () => {
  test('at level trace, neither the log nor Redis holds what was scanned or sent, whatever was wrong with it', async () => {
    const redis = own(await startRedis({ appendonly: true }));
    const receiver = own(await startReceiver({ redisUrl: redis.url, env: { LOG_LEVEL: 'trace' } }));
    const planted = 'PlantedCardOfMrsQvist';
    const data = { cardnumber: planted, item_barcode: 'PlantedItem', branch: 'MAIN', note: 'PlantedNote' };
    const post = async (body: string, change: Record<string, string> = {}, path = 'riverside') => {
      const { headers } = signedRequest({ secret: receiver.secrets.riverside, body });
      const sent = { ...headers, ...change };
      const answer = await fetch(`${receiver.url}/webhooks/${path}`, { method: 'POST', headers: sent, body });
      return `${answer.status} ${await answer.text()}`;
    };
    const scan = JSON.stringify(buildScanEvent(data));
    const answers = [
      await post(scan),
      await post(scan.slice(0, -1)),
      await post(scan, { 'webhook-id': 'PlantedId with a blank' }),
      await post(scan, { 'webhook-signature': 'PlantedSignature' }),
      await post(scan, {}, 'PlantedLibrary'),
      await post(scan, {}, '%zzPlantedPath'),
      await post(JSON.stringify(buildScanEvent({ ...data, cardnumber: planted.repeat(2) }))),
      await post(JSON.stringify(buildScanEvent(data, { type: 'PlantedType' }))),
      await post(JSON.stringify({ PlantedKey: 1, type: 7 })),
      await post(scan.padEnd(20_000, 'Planted')),
      await post(scan, { 'content-type': 'text/Planted' }),
    ];
    expect(answers.map((answer) => answer.slice(0, 3)).join(' ')).toBe(
      '202 400 400 400 401 400 422 202 422 413 415',
    );
    const file = await appendOnlyText(redis.dir);
    await redis.kill();
    answers.push(await post(scan));
    await receiver.process.stop();

    expect(receiver.process.output()).toContain('"result":"invalid_field"');
    const actual = answers.join('\n') + receiver.process.output();
    expect(actual.match(/.{0,40}planted.{0,40}/i)).toBeNull();
    expect(file).toContain('riverside.evt_');
    expect(file.match(/.{0,40}planted.{0,40}/i)).toBeNull();
    for (const secret of Object.values(receiver.secrets))
      expect(actual + file).not.toContain(secret.slice(6));
  });
});

/** Everything that was ever written to this Redis. */
async function appendOnlyText(dir: string): Promise<string> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  );
  const texts = await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name), 'latin1')));
  return texts.join('\n');
}

describe('T-20 dying', () => {
  test('killed again and again under load, it loses no event that it acknowledged, and queues none twice', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const redis = own(await startRedis({ appendonly: true }));
    const receiver = own(
      await startReceiver({
        redisUrl: redis.url,
        entry: { limits: { events_per_second: 5_000, burst: 5_000 } },
      }),
    );
    const waiting = Array.from({ length: 300 }, (_, n) => requestOf(receiver, `evt_${n}`));
    const acknowledged = new Set<string>();
    let deaths = 0;

    while (waiting.length > 0) {
      const batch = waiting.splice(0, 40);
      const dies = deaths < 4;
      const answers = batch.map(async (request) => {
        const status = await statusOf(send(receiver, request)).catch(() => 0);
        if (status === 202) acknowledged.add(request.id);
        else waiting.push(request);
      });
      if (dies) {
        await Promise.race(random.next() < 0.5 ? answers.slice(0, 1) : answers);
        receiver.process.kill('SIGKILL');
        deaths += 1;
      }
      await Promise.all(answers);
      if (dies) {
        await receiver.process.exited;
        await receiver.restart();
      }
    }

    const jobs = await redis.call('ZRANGE', '{passport}:scans:prioritized', '0', '-1');
    const ids = (Array.isArray(jobs) ? jobs : []).map((id) => String(id).replace('riverside.', ''));
    expect({ seed, deaths, acknowledged: acknowledged.size, jobs: ids.length }).toEqual({
      seed,
      deaths: 4,
      acknowledged: 300,
      jobs: 300,
    });
    expect(new Set(ids)).toEqual(acknowledged);
  }, 60_000);
});
