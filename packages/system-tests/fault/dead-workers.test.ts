import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor, type RunningService } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'midland' | 'hillside' | 'riverside';

/** A job of a dead worker is taken over within 15 s. */
const TAKEN_OVER_MS = 15_000;
const QUERY = 'GET /patrons';
const PREFIXES = { midland: '21234', hillside: '23456' } as const;

const start = (workers: number): Promise<Consortium<Ids>> =>
  startConsortium<Ids>({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      hillside: { reports: false, cards: ['^23456\\d{9}$'] },
      riverside: {},
    },
    workers,
    keys: { defaults: { koha: { timeout: '20s' }, retry: { checkout_within: '5m' } } },
  });

const lookups = ({ doubles }: Consortium<Ids>, home: keyof typeof PREFIXES): number =>
  doubles[home].calls().filter(({ operation }) => operation === QUERY).length;

/** Scans a card of a home library that leaves its first `times` calls unanswered. */
async function scanHeld(consortium: Consortium<Ids>, home: keyof typeof PREFIXES, times: number) {
  const { doubles } = consortium;
  const card = registerPatron(doubles[home], { prefix: PREFIXES[home] });
  doubles[home].addFaults([{ operation: QUERY, kind: 'hang', times }]);
  const data = { cardnumber: card, item_barcode: shelveBook(doubles.riverside) };
  return { card, eventId: (await consortium.at('riverside').scan(data)).eventId };
}

describe('a worker that dies again and again', () => {
  let consortium: Consortium<Ids>;
  let innocent: { card: string; eventId: string };
  let poison: { card: string; eventId: string };
  const takenOverMs: number[] = [];

  /** Kills the worker with what it has in hand, and waits until another has taken that over. */
  async function die(isTakenOver: () => boolean): Promise<void> {
    const [worker] = consortium.services.workers;
    await worker?.kill('SIGKILL');
    const diedAt = performance.now();
    await worker?.restart();
    await waitFor('what it had in hand to be taken over', isTakenOver, { timeoutMs: TAKEN_OVER_MS });
    takenOverMs.push(performance.now() - diedAt);
  }

  beforeAll(async () => {
    consortium = await start(1);
    innocent = await scanHeld(consortium, 'midland', 4);
    poison = await scanHeld(consortium, 'hillside', 1_000);
    for (let deaths = 0; deaths <= 4; deaths += 1) {
      const isUnderWork = (): boolean =>
        lookups(consortium, 'midland') > deaths && lookups(consortium, 'hillside') > deaths;
      if (deaths === 0) await waitFor('both to be under work', isUnderWork);
      else await die(isUnderWork);
    }
  }, 90_000);
  afterAll(() => consortium?.stop());

  test('gives its jobs over within 15 s, four times in a row, and they still end well', async () => {
    expect(await consortium.at('riverside').follow(innocent.eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
      attempt: 1,
    });
    expect(consortium.doubles.riverside.state(innocent.card).patrons).toHaveLength(1);
    expect(takenOverMs).toHaveLength(4);
    expect(Math.max(...takenOverMs)).toBeLessThan(TAKEN_OVER_MS);
  });

  test('at the fifth death of one job ends that one where a person can see it', async () => {
    const receiver = consortium.at('riverside');
    const [worker] = consortium.services.workers;
    await worker?.kill('SIGKILL');
    await worker?.restart();

    expect(await receiver.follow(poison.eventId)).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'other', name: 'the worker died of it' },
    });
    expect(consortium.doubles.riverside.state(poison.card).patrons).toHaveLength(0);
  }, 30_000);

  test('counts each of them once in the statistics', async () => {
    const { env } = consortium.services;
    const { out } = await runPassport(['stats', '--by', 'home', '--json'], { env });
    expect(JSON.parse(out)).toMatchObject({
      rows: [
        { home: '-', scans: 1, failures: 1, by_outcome: { MISCONFIGURED: 1 } },
        { home: 'midland', scans: 1, copies: 1, checkouts: 1 },
      ],
    });
  });
});

describe('a worker that freezes for longer than its locks last', () => {
  let consortium: Consortium<Ids>;
  beforeAll(async () => {
    consortium = await start(2);
  }, 60_000);
  afterAll(() => consortium?.stop());

  test('and resumes in the middle of a job does nothing more for it: its twin has it', async () => {
    const { midland, riverside } = consortium.doubles;
    const receiver = consortium.at('riverside');
    const { card, eventId } = await scanHeld(consortium, 'midland', 1);
    await waitFor('it to be under work', () => lookups(consortium, 'midland') === 1);
    const frozen = await workerAt(consortium, 'midland');
    frozen.signal('SIGSTOP');
    await waitFor('the lookup of the twin', () => lookups(consortium, 'midland') === 2, {
      timeoutMs: TAKEN_OVER_MS,
    });
    const state = await receiver.follow(eventId);
    frozen.signal('SIGCONT');

    const other = registerPatron(midland, { prefix: PREFIXES.midland });
    await receiver.follow((await receiver.scan({ cardnumber: other, item_barcode: null })).eventId);
    await waitFor('the frozen one to be well', async () => (await fetch(`${frozen.adminUrl}/readyz`)).ok);
    expect(await receiver.state(eventId)).toEqual(state);
    expect(state).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(riverside.state(card).patrons).toHaveLength(1);
    expect(riverside.state(card).checkouts).toHaveLength(1);
    expect(lookups(consortium, 'midland')).toBe(3);
  }, 60_000);
});

/** The worker that has a call under way at a library. */
async function workerAt({ services }: Consortium<Ids>, library: string): Promise<RunningService> {
  const busy = new RegExp(`passport_library_in_flight\\{library="${library}"\\} [1-9]`);
  for (const worker of services.workers) if (busy.test(await worker.metrics())) return worker;
  throw new Error(`no worker has a call under way at ${library}`);
}
