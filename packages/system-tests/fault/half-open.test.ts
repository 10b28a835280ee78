import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningService, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

/** With the times that are shipped (scan-worker.ts, redis.ts), the fault is noticed within a minute; beside other tests, which share the processors, it takes longer. */
const NOTICED_MS = 90_000;
const EVENTS = 12;

let consortium: Consortium<'midland' | 'riverside'>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: { midland: { reports: false }, riverside: {} },
    redisProxy: true,
    dashboards: 1,
    keys: { defaults: { retry: { checkout_within: '10m' } } },
  });
}, 60_000);
afterAll(() => consortium?.stop(), 60_000);

const probe = async (service: RunningService | undefined, path: string): Promise<number> =>
  (await fetch(`${service?.adminUrl}/${path}`)).status;

async function untilProbe(
  service: RunningService | undefined,
  path: 'livez' | 'readyz',
  status: number,
  timeoutMs: number,
): Promise<void> {
  const is = async (): Promise<boolean> => (await probe(service, path)) === status;
  await waitFor(`/${path} of the ${service?.name} to be ${status}`, is, { timeoutMs, everyMs: 100 });
}

describe('every open connection to Redis falls silent, and new ones are taken and never answered', () => {
  test('all processes say so by their probes and in the log, and nothing is lost', async () => {
    const { redisProxy, services, doubles } = consortium;
    const [receiver, worker, dashboard] = [
      services.receivers[0],
      services.workers[0],
      services.dashboards[0],
    ];
    const scan = async (): Promise<string> => {
      const data = {
        cardnumber: registerPatron(doubles.midland),
        item_barcode: shelveBook(doubles.riverside),
      };
      return (await consortium.at('riverside').scan(data)).eventId;
    };
    const events = await Promise.all(Array.from({ length: EVENTS }, scan));
    await redisProxy?.setMode('freeze');
    await redisProxy?.setMode('swallow');
    const brokenAt = performance.now();
    const leftMs = (): number => NOTICED_MS - (performance.now() - brokenAt);

    await untilProbe(receiver, 'readyz', 503, 5_000);
    await untilProbe(dashboard, 'readyz', 503, 5_000);
    await untilProbe(worker, 'readyz', 503, leftMs());
    await untilProbe(worker, 'livez', 503, leftMs());
    expect([await probe(receiver, 'livez'), await probe(dashboard, 'livez')]).toEqual([200, 200]);
    const lines = (await services.logs()).split('\n').filter((line) => line.startsWith('{'));
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const silent = logged.filter(({ msg }) => msg === 'Redis does not answer').map(({ redis }) => redis);
    expect(new Set(silent)).toEqual(
      new Set(['dashboard', 'receiver', 'worker', 'worker-blocking', 'worker-keys']),
    );
    expect(logged.filter(({ msg }) => msg === 'no jobs can be fetched').map(({ queue }) => queue)).toContain(
      'scans',
    );

    await redisProxy?.setMode('pass');
    for (const service of [receiver, worker, dashboard]) await untilProbe(service, 'readyz', 200, 30_000);
    await untilProbe(worker, 'livez', 200, 1_000);
    for (const eventId of events)
      expect(await consortium.at('riverside').follow(eventId)).toMatchObject({
        // the copy may have been made as Redis fell silent, and nobody could note it
        outcome: expect.stringMatching(/^(?:COPIED|ALREADY_LOCAL)$/),
        checkout: { result: 'CHECKED_OUT' },
      });
  }, 150_000);
});
