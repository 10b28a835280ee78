import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@passport/config';
import { Webhook } from 'standardwebhooks';
import {
  DASHBOARD,
  HOUR_MS,
  MINUTE_MS,
  type NotifyFixture,
  SECOND_MS,
  SECRET,
  library,
  openNotifyFixture,
} from './notify-fixture.ts';
import { status } from './start-endpoint.ts';

let fixture: NotifyFixture;
beforeAll(async () => {
  fixture = await openNotifyFixture();
});
beforeEach(() => fixture.clear());
afterAll(() => fixture.close());

const types = (): string[] => fixture.messages().map(({ type }) => type);
const ids = (): unknown[] => fixture.endpoint.received.map(({ headers }) => headers['webhook-id']);

describe('what is sent', () => {
  test('a library that is away is reported once it has been for a while, and once', async () => {
    const worker = await fixture.startProcess();
    await fixture.round(worker, library('midland', true));
    expect(types()).toEqual([]);
    fixture.pass(20 * SECOND_MS);
    await fixture.round(worker, library('midland', true), library('riverside', false));
    for (let look = 0; look < 5; look += 1) {
      fixture.pass(HOUR_MS);
      await fixture.round(worker, library('midland', true), library('riverside', false));
    }
    expect(fixture.messages()).toEqual([
      {
        type: 'library.away',
        timestamp: '2026-11-25T12:00:20.000Z',
        data: {
          consortium: 'Prairie Libraries',
          library: { id: 'midland', name: 'midland library' },
          text: 'midland library does not answer.',
          link: `${DASHBOARD}/libraries/midland`,
          runbook: `${DASHBOARD}/runbook#passportlibraryopen`,
          facts: { code: 'timeout' },
        },
      },
    ]);
  });

  test('its return is sent, and nothing of a library whose absence was not', async () => {
    const worker = await fixture.startProcess();
    const during = async (isAway: boolean, ms: number): Promise<void> => {
      await fixture.round(worker, library('midland', isAway), library('riverside', false));
      fixture.pass(ms);
      await fixture.round(worker, library('midland', isAway), library('riverside', false));
    };
    await during(true, 10 * SECOND_MS);
    await during(false, 60 * SECOND_MS);
    expect(types()).toEqual([]);
    await during(true, 20 * SECOND_MS);
    await during(false, 20 * SECOND_MS);
    expect(types()).toEqual(['library.away', 'library.back']);
  });

  test('a library that comes and goes is reported twice in ten minutes, and then as it is by that time', async () => {
    const worker = await fixture.startProcess();
    for (let ms = 0; ms < HOUR_MS; ms += 20 * SECOND_MS) {
      await fixture.round(worker, library('midland', ms % (80 * SECOND_MS) < 40 * SECOND_MS));
      fixture.pass(20 * SECOND_MS);
    }
    expect(types().length).toBeGreaterThanOrEqual(6);
    expect(types().length).toBeLessThanOrEqual(13);
    for (let ms = 0; ms < 20 * MINUTE_MS; ms += 20 * SECOND_MS) {
      await fixture.round(worker, library('midland', false));
      fixture.pass(20 * SECOND_MS);
    }
    expect(types().at(-1)).toBe('library.back');
  });

  test('a clock that is set back by a day delays nothing by a day', async () => {
    const worker = await fixture.startProcess();
    const during = async (isAway: boolean): Promise<void> => {
      await fixture.round(worker, library('midland', isAway));
      fixture.pass(20 * SECOND_MS);
      await fixture.round(worker, library('midland', isAway));
    };
    await during(true);
    await during(false);
    fixture.pass(-24 * HOUR_MS);
    await during(true);
    expect(types()).toEqual(['library.away', 'library.back', 'library.away']);
  });

  test('an endpoint gets the topics and libraries that it wants, and what concerns the whole service', async () => {
    const wants = { topics: ['library', 'worker_missing'], libraries: ['riverside'] } as const;
    const worker = await fixture.startProcess([fixture.endpointOf(wants)]);
    const away = [library('midland', true), library('riverside', true)];
    const faulty = { ...library('riverside', true), topic: 'set_up_fault', type: 'set_up.fault' } as const;
    const service = {
      ...library('', true),
      topic: 'worker_missing',
      type: 'worker.missing',
      library: null,
    } as const;
    await fixture.round(worker, ...away, faulty, service);
    fixture.pass(20 * SECOND_MS);
    await fixture.round(worker, ...away, faulty, service);
    const sent = fixture.messages().map(({ type, data }) => `${type} ${data.library?.id ?? 'service'}`);
    expect(new Set(sent)).toEqual(new Set(['library.away riverside', 'worker.missing service']));
    expect(sent).toHaveLength(2);
  });

  test('two workers that look at the same time report it once', async () => {
    const [one, other] = await Promise.all([fixture.startProcess(), fixture.startProcess()]);
    await fixture.round(one, library('midland', true));
    fixture.pass(20 * SECOND_MS);
    await fixture.redis.del('{passport}:notices:watch');
    // The other begins while the first has read what was sent, and not written yet: it took too long.
    await one.notifier.watch(async () => {
      await fixture.round(other, library('midland', true));
      return [library('midland', true)];
    });
    await Promise.all([one, other].map(({ notifier }) => notifier.send()));
    expect(ids()).toHaveLength(1);
  });
});

describe('how it is delivered', () => {
  const newsAt = async (
    party: Awaited<ReturnType<NotifyFixture['startProcess']>>,
    id = 'midland',
  ): Promise<void> => {
    await fixture.round(party, library(id, true));
    fixture.pass(20 * SECOND_MS);
    await fixture.round(party, library(id, true));
  };

  test('signed as the library of Standard Webhooks signs', async () => {
    const before = fixture.now();
    await newsAt(await fixture.startProcess());
    const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: '' }] = fixture.endpoint.received;
    const sentAt = Number(headers['webhook-timestamp']) * 1000;
    expect(sentAt).toBe(before + 20 * SECOND_MS);
    // Of the library's own making: it verifies with the real clock, as the system test does.
    const signed = new Webhook(SECRET).sign(String(headers['webhook-id']), new Date(sentAt), body);
    expect(headers['webhook-signature']).toBe(signed);
    expect(headers['content-type']).toBe('application/json');
  });

  test('again after a failure, at the pace of Standard Webhooks, with the same id, until it is given up', async () => {
    const worker = await fixture.startProcess();
    fixture.endpoint.answer = status(500);
    await newsAt(worker);
    const tried: number[] = [fixture.endpoint.received.length];
    const waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (const seconds of waits) {
      fixture.pass((seconds - 1) * SECOND_MS);
      await fixture.round(worker, library('midland', true));
      tried.push(fixture.endpoint.received.length);
      fixture.pass(SECOND_MS);
      await fixture.round(worker, library('midland', true));
      tried.push(fixture.endpoint.received.length);
    }
    expect(tried).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10]);
    fixture.pass(1_000 * HOUR_MS);
    await fixture.round(worker, library('midland', true));
    expect(new Set(ids()).size).toBe(1);
    expect(ids()).toHaveLength(10);
    expect(await worker.metrics()).toContain(
      'passport_notifications_total{endpoint="ops",result="dropped"} 1',
    );
    expect(await fixture.redis.hlen('{passport}:notices')).toBe(0);
  });

  test('not before the time that the endpoint requests', async () => {
    const worker = await fixture.startProcess();
    fixture.endpoint.answer = status(429, { 'retry-after': '60' });
    await newsAt(worker);
    fixture.pass(59 * SECOND_MS);
    await fixture.round(worker);
    expect(ids()).toHaveLength(1);
    fixture.pass(SECOND_MS);
    await fixture.round(worker);
    expect(ids()).toHaveLength(2);
  });

  test('no more after 410, until the address is another', async () => {
    const worker = await fixture.startProcess();
    fixture.endpoint.answer = status(410);
    await newsAt(worker);
    await newsAt(worker, 'riverside');
    fixture.pass(HOUR_MS);
    await fixture.round(worker, library('midland', false));
    fixture.pass(20 * SECOND_MS);
    await fixture.round(worker, library('midland', false));
    expect(types()).toEqual(['library.away']);
    const { url } = fixture.endpoint;
    const moved = await fixture.startProcess([fixture.endpointOf({ url: new Secret(`${url}/new`) })]);
    fixture.endpoint.answer = status(204);
    fixture.pass(HOUR_MS);
    await newsAt(moved);
    expect(types()).toEqual(['library.away', 'library.away']);
  });

  test.each([302, 303, 307, 308])('never to where a redirect (%d) leads', async (code) => {
    const worker = await fixture.startProcess();
    fixture.endpoint.answer = status(code, { location: `${fixture.endpoint.url}/elsewhere` });
    await newsAt(worker);
    expect(fixture.endpoint.received.map(({ path }) => path)).toEqual(['/hook']);
    expect(await worker.metrics()).toContain('{endpoint="ops",result="failed"} 1');
  });

  test('whatever an endpoint that accepted it goes on to say', async () => {
    const worker = await fixture.startProcess();
    let written = 0;
    let closed: () => void = () => undefined;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    fixture.endpoint.answer = (response) => {
      response.on('close', closed);
      const write = (): void => {
        while (written < 10_000_000 && !response.destroyed) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    };
    await newsAt(worker);
    await isClosed;
    expect(await worker.metrics()).toContain('{endpoint="ops",result="delivered"} 1');
    expect(written).toBeLessThan(10_000_000);
  });

  test('to nobody that is down, and then when it is up', async () => {
    const down = 'http://127.0.0.1:1/hook';
    const worker = await fixture.startProcess([fixture.endpointOf({ url: new Secret(down) })]);
    await newsAt(worker);
    expect(await worker.metrics()).toContain('{endpoint="ops",result="failed"} 1');
    const again = await fixture.startProcess();
    fixture.pass(5 * SECOND_MS);
    await fixture.round(again, library('midland', true));
    expect(types()).toEqual(['library.away']);
  });

  test('by another process where one died while it was sending, with the same id', async () => {
    const [dying, other] = [await fixture.startProcess(), await fixture.startProcess()];
    let arrived: () => void = () => undefined;
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    fixture.endpoint.answer = () => arrived();
    await fixture.round(dying, library('midland', true));
    fixture.pass(20 * SECOND_MS);
    const sending = fixture.round(dying, library('midland', true));
    await isThere;
    dying.stop();
    await sending;
    fixture.endpoint.answer = status(200);
    fixture.pass(20 * SECOND_MS);
    await fixture.round(other, library('midland', true));
    expect(ids()).toHaveLength(1);
    fixture.pass(11 * SECOND_MS);
    await fixture.round(other, library('midland', true));
    expect(ids()).toHaveLength(2);
    expect(new Set(ids()).size).toBe(1);
  });

  test('as the latest state only, where the ones before were not accepted', async () => {
    const worker = await fixture.startProcess();
    fixture.endpoint.answer = status(503);
    await newsAt(worker);
    await fixture.round(worker, library('midland', false));
    fixture.pass(20 * SECOND_MS);
    fixture.endpoint.received.length = 0;
    fixture.endpoint.answer = status(200);
    await fixture.round(worker, library('midland', false));
    fixture.pass(HOUR_MS);
    await fixture.round(worker, library('midland', false));
    expect(types()).toEqual(['library.back']);
  });

  test.each([503, 410])('and nothing is left in Redis for ever, whatever it answers (%d)', async (code) => {
    fixture.endpoint.answer = status(code);
    await newsAt(await fixture.startProcess());
    const keys = await fixture.redis.keys('*');
    expect(keys).toContain(code === 410 ? '{passport}:notices:stopped' : '{passport}:notices:due');
    for (const key of keys) {
      const ttl = await fixture.redis.pttl(key);
      expect([key, ttl > 0]).toEqual([key, true]);
    }
  });
});
