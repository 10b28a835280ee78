import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { startFaultProxy, waitFor, type FaultProxy, type RunningService } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { type Sender, createSender, startLoad } from './sender.ts';

type Ids = 'midland' | 'riverside';

const PER_SECOND = 20;
const GRACE_MS = 3_000;
/** Events that the worker has in hand at the same time. */
const IN_HAND = 5;
/** What is left to close after the deadline: connections and servers, at most. */
const AFTER_DEADLINE_MS = 1_500;

let consortium: Consortium<Ids>;
/** The network between our processes and midland's Koha. */
let toMidland: FaultProxy;
let send: Sender;

/** A worker that stops has `GRACE_MS` for it, and a Koha 20 s to answer: calls that hang outlive the grace. */
beforeAll(async () => {
  const reachedAt = async (port: number): Promise<string> => {
    toMidland = await startFaultProxy({ target: port });
    return `http://127.0.0.1:${toMidland.port}`;
  };
  consortium = await startConsortium<Ids>({
    libraries: { midland: { reports: false, reachedAt }, riverside: {} },
    receivers: 2,
    // All that it has in hand may call at once, whatever its Kohas can serve.
    keys: {
      defaults: {
        koha: { timeout: '20s', max_in_flight: 8 },
        limits: { events_per_second: 5_000, burst: 5_000 },
      },
    },
    env: { SHUTDOWN_GRACE: `${GRACE_MS / 1_000}s`, WORKER_CONCURRENCY: String(IN_HAND) },
  });
  send = createSender({
    receiverUrls: consortium.services.receivers.map(({ url }) => url),
    library: 'riverside',
    secret: consortium.secrets.riverside,
  });
}, 60_000);
afterAll(async () => {
  await consortium?.stop();
  await toMidland?.close();
}, 60_000);

function scan(): ReturnType<Sender> {
  const { midland, riverside } = consortium.doubles;
  return send({ cardnumber: registerPatron(midland), item_barcode: shelveBook(riverside) });
}

const scans = (count: number) => Promise.all(Array.from({ length: count }, scan));

function firstWorker(): RunningService {
  const [worker] = consortium.services.workers;
  if (worker === undefined) throw new Error('there is no worker');
  return worker;
}

function setLatency(ms: number): void {
  for (const koha of Object.values<KohaDouble>(consortium.doubles)) koha.putSettings({ latency_ms: ms });
}

/** Calls by which a patron was looked up at the home library. */
const searches = (): number =>
  consortium.doubles.midland.calls().filter(({ operation }) => operation === 'GET /patrons').length;

// What a test that failed has left behind is not the next one's.
beforeEach(async () => {
  setLatency(0);
  await toMidland.setMode('pass');
  if (!firstWorker().alive()) await firstWorker().restart();
}, 60_000);

/** How the process ended, and how many milliseconds after the signal. */
async function timed(exit: Promise<{ code: number | null }>) {
  const startedAt = performance.now();
  const { code } = await exit;
  return { code, ms: performance.now() - startedAt };
}

describe('a worker that is stopped', () => {
  test('ends what it has in hand and takes nothing new', async () => {
    const { riverside } = consortium.doubles;
    setLatency(150);
    const before = searches();
    const events = await scans(4 * IN_HAND);
    await waitFor('it to have its hands full', () => searches() >= before + IN_HAND);

    const { code, ms } = await timed(firstWorker().kill('SIGTERM'));

    const ended = riverside.state().outcomes.filter(({ state }) => state === 'done');
    // Copies are created one at a time (docs/decisions/0017-one-create-at-a-time.md): what found the line full waits in the queue.
    const states = await Promise.all(events.map(({ eventId }) => consortium.at('riverside').state(eventId)));
    const inLine = states.filter((each) => each?.waiting_for?.reason === 'BUSY');
    process.stderr.write(`a worker with ${IN_HAND} events in hand ended them in ${ms.toFixed(0)} ms\n`);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(GRACE_MS);
    expect(ended.length).toBeGreaterThan(0);
    expect(ended.length + inLine.length).toBe(searches() - before);
    expect(ended.length).toBeLessThan(events.length);
    setLatency(0);
    await firstWorker().restart();
    await untilAllReported(riverside, events);
    expect(brokenPromises(riverside, events, { isCheckedOut: true })).toEqual([]);
  }, 60_000);

  test.each([
    ['its grace is over', 1, GRACE_MS, GRACE_MS + AFTER_DEADLINE_MS],
    ['it gets a second signal', 2, 0, AFTER_DEADLINE_MS],
  ])(
    'aborts calls when %s, and its jobs go back unharmed',
    async (when, signals, leastMs, mostMs) => {
      const { riverside } = consortium.doubles;
      const worker = firstWorker();
      await toMidland.setMode('blackhole');
      const events = await scans(IN_HAND);
      const states = () =>
        Promise.all(events.map(({ eventId }) => consortium.at('riverside').state(eventId)));
      await waitFor(
        'all to be worked on',
        async () => (await states()).every((each) => each?.state === 'working'),
        { timeoutMs: 15_000 },
      );

      const exit = timed(worker.kill('SIGTERM'));
      if (signals === 2) {
        const readiness = async () => (await fetch(`${worker.adminUrl}/readyz`)).status;
        await waitFor('it to be stopping', async () => (await readiness()) === 503);
        worker.signal('SIGTERM');
      }
      const { code, ms } = await exit;

      process.stderr.write(`a worker with hanging calls, ${when}: ended after ${ms.toFixed(0)} ms\n`);
      expect(code).toBe(0);
      expect(ms).toBeGreaterThanOrEqual(leastMs);
      expect(ms).toBeLessThan(mostMs);
      for (const state of await states()) {
        expect(state).toMatchObject({ state: 'queued', outcome: null, attempt: 0 });
        // Nothing but the worker itself, once that is noticed.
        expect([undefined, 'NO_WORKER']).toContain(state?.waiting_for?.reason);
      }
      await toMidland.setMode('pass');
      await worker.restart();
      await untilAllReported(riverside, events);
      expect(brokenPromises(riverside, events, { isCheckedOut: true })).toEqual([]);
    },
    60_000,
  );
});

test('receivers and workers are restarted one after the other under load: nothing is lost or done twice', async () => {
  const { services, doubles } = consortium;
  await services.add('worker');
  setLatency(50);
  const load = startLoad(PER_SECOND, scan);
  const exits: number[] = [];
  for (const service of [...services.receivers, ...services.workers]) {
    const before = load.accepted;
    await waitFor(`load before a ${service.name} stops`, () => load.accepted >= before + PER_SECOND / 2, {
      timeoutMs: 30_000,
    });
    exits.push((await service.kill('SIGTERM')).code ?? -1);
    await service.restart();
  }
  const events = await load.stop();
  await untilAllReported(doubles.riverside, events, 60_000);

  const refusals = events.flatMap((event) => event.refusals);
  const stopping = refusals.filter(({ status }) => status === 503);
  process.stderr.write(
    `rolling restart: ${events.length} events; ${stopping.length} answers of 503, ` +
      `${refusals.length - stopping.length} deliveries without an answer\n`,
  );
  expect(exits).toEqual([0, 0, 0, 0]);
  expect(stopping.filter(({ retryAfterS }) => (retryAfterS ?? 0) < 1)).toEqual([]);
  expect(refusals.filter(({ status }) => status !== 503 && status !== 0)).toEqual([]);
  expect(brokenPromises(doubles.riverside, events, { isCheckedOut: true })).toEqual([]);
}, 150_000);
