import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventState } from '@passport/contract';
import { waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'midland' | 'hillside' | 'riverside';

const PREFIXES = { midland: '21234', hillside: '23456' } as const;
const JOBS = 60;
/** From the library's return to the last of the jobs that waited for it. */
const RESUMED_MS = 15_000;

let consortium: Consortium<Ids>;
beforeAll(async () => {
  consortium = await startConsortium<Ids>({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      hillside: { reports: false, cards: ['^23456\\d{9}$'] },
      riverside: {},
    },
    workers: 2,
    keys: { defaults: { koha: { timeout: '1s' }, limits: { events_per_second: 500 } } },
    env: { WORKER_CONCURRENCY: '5' },
  });
}, 60_000);
afterAll(() => consortium?.stop());

function scan(home: keyof typeof PREFIXES) {
  const cardnumber = registerPatron(consortium.doubles[home], { prefix: PREFIXES[home] });
  return consortium.at('riverside').scan({ cardnumber, item_barcode: null });
}

const isOpen = async (place: number): Promise<boolean> =>
  /passport_library_open\{library="midland"\} 1/.test(
    (await consortium.services.workers[place]?.metrics()) ?? '',
  );

describe('T-08 a library that never answers, with two workers', () => {
  let events: string[];

  /** The reports of each event, once they fit: looked up at the Koha, so that nothing else has work with it. */
  const reported = (
    what: string,
    fits: (state: EventState) => boolean,
    timeoutMs = 20_000,
  ): Promise<EventState[]> =>
    waitFor(
      what,
      () => {
        const rows = consortium.doubles.riverside.state().outcomes as unknown as EventState[];
        const mine = events.map((id) => rows.find((row) => row.event_id === id));
        const fitting = mine.filter((state) => state !== undefined).filter(fits);
        return fitting.length === events.length ? fitting : null;
      },
      { timeoutMs, everyMs: 100 },
    );

  beforeAll(async () => {
    const { midland } = consortium.doubles;
    midland.addFaults([{ operation: '*', kind: 'hang', times: 1_000_000 }]);
    events = await Promise.all(Array.from({ length: JOBS }, async () => (await scan('midland')).eventId));
    await waitFor('both workers to give it up for now', async () => (await isOpen(0)) && (await isOpen(1)), {
      timeoutMs: 20_000,
    });
  }, 60_000);

  test('its jobs wait by name, at few attempts, and hold no place of a worker', async () => {
    const receiver = consortium.at('riverside');
    const waiting = await reported('the report of each wait', ({ waiting_for: wait }) => wait !== null);
    expect(waiting.map(({ waiting_for: wait }) => wait?.library)).toEqual(events.map(() => 'midland'));
    expect(Math.max(...waiting.map(({ attempt }) => attempt))).toBeLessThan(6);
    const startedAt = performance.now();
    for (let n = 0; n < 10; n += 1) {
      expect(await receiver.follow((await scan('hillside')).eventId)).toMatchObject({ outcome: 'COPIED' });
    }
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  }, 40_000);

  test('it is tried again by one call at a time of each worker, and rarely', async () => {
    const { midland } = consortium.doubles;
    const before = midland.calls().length;
    await waitFor('three seconds to pass', elapsed(3_000));
    // Two workers, each at most one call in a pause of a second or more.
    expect(midland.calls().length - before).toBeLessThanOrEqual(6);
  });

  test('when it is back all of them go on within seconds, at no more attempts', async () => {
    consortium.doubles.midland.clearFaults();
    const backAt = performance.now();
    const ends = await reported('the report of each outcome', ({ state }) => state === 'done', RESUMED_MS);
    expect(performance.now() - backAt).toBeLessThan(RESUMED_MS);
    expect(new Set(ends.map(({ outcome }) => outcome))).toEqual(new Set(['COPIED']));
    expect(Math.max(...ends.map(({ attempt }) => attempt))).toBeLessThan(8);
    await waitFor('both workers to know', async () => !(await isOpen(0)) && !(await isOpen(1)), {
      timeoutMs: RESUMED_MS,
    });
  }, 40_000);
});

function elapsed(ms: number): () => boolean {
  const endsAt = performance.now() + ms;
  return () => performance.now() >= endsAt;
}
