import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { type Sender, createSender, startLoad } from './sender.ts';

/** The long form: `PASSPORT_REDIS_DOWN_SECONDS=60`. */
const DOWN_SECONDS = Number(process.env['PASSPORT_REDIS_DOWN_SECONDS'] ?? '5');
const PER_SECOND = 20;
const KILLS = 3;
/** For all reports; a second and a half on a machine that does nothing else. */
const PATIENCE_MS = 150_000;

let consortium: Consortium<'midland' | 'riverside'>;
let send: Sender;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: { midland: { reports: false }, riverside: {} },
    redis: { appendonly: true },
    keys: {
      defaults: {
        limits: { events_per_second: 5_000, burst: 5_000, copies_per_hour: 100_000 },
        retry: { checkout_within: '10m' },
      },
    },
  });
  send = createSender({
    receiverUrls: consortium.services.receivers.map(({ url }) => url),
    library: 'riverside',
    secret: consortium.secrets.riverside,
  });
}, 60_000);
afterAll(() => consortium?.stop(), 60_000);

function scan() {
  const { midland, riverside } = consortium.doubles;
  return send({ cardnumber: registerPatron(midland), item_barcode: shelveBook(riverside) });
}

test(
  `T-16 Redis is away for ${DOWN_SECONDS} s under load: every event is acknowledged and finished, or answered 503 and taken when it is sent again`,
  async () => {
    const { redis, doubles } = consortium;
    const load = startLoad(PER_SECOND, scan);
    await waitFor('a second of load to be taken', () => load.accepted >= PER_SECOND, { timeoutMs: 30_000 });

    await redis.kill();
    const killedAt = performance.now();
    await waitFor(
      `Redis to have been away for ${DOWN_SECONDS} s`,
      () => performance.now() - killedAt >= DOWN_SECONDS * 1_000,
      { timeoutMs: (DOWN_SECONDS + 10) * 1_000 },
    );
    await redis.restart();
    const backAt = performance.now();
    const before = load.sent;
    await waitFor('a second of load after it', () => load.sent >= before + PER_SECOND, { timeoutMs: 30_000 });
    const events = await load.stop();
    await untilAllReported(doubles.riverside, events, PATIENCE_MS);

    const refusals = events.flatMap((event) => event.refusals);
    const refused = events.filter((event) => event.refusals.length > 0);
    const firstAfterMs =
      Math.min(...events.map((event) => event.acceptedAt).filter((at) => at > backAt)) - backAt;
    process.stderr.write(
      `Redis away for ${DOWN_SECONDS} s: ${events.length} events, ${refused.length} of them refused ` +
        `(${refusals.length} answers of 503); the first is taken ${firstAfterMs.toFixed(0)} ms after its return\n`,
    );
    expect(refused.length).toBeGreaterThan((DOWN_SECONDS - 1) * PER_SECOND * 0.8);
    expect(refusals.filter((each) => each.status !== 503 || (each.retryAfterS ?? 0) < 1)).toEqual([]);
    expect(brokenPromises(doubles.riverside, events, { isCheckedOut: true })).toEqual([]);
  },
  DOWN_SECONDS * 1_000 + 60_000 + PATIENCE_MS,
);

test(
  'Redis is killed again and again under load, with nobody working: every acknowledged event is still done',
  async () => {
    const { redis, doubles, services } = consortium;
    const [worker] = services.workers;
    await worker?.kill('SIGTERM');
    const load = startLoad(4 * PER_SECOND, scan);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = load.accepted;
      await waitFor(`events to be taken before kill ${kill}`, () => load.accepted >= before + PER_SECOND, {
        timeoutMs: 30_000,
      });
      await redis.kill('SIGKILL');
      await redis.restart();
    }
    const events = await load.stop();
    await worker?.restart();
    await untilAllReported(doubles.riverside, events, PATIENCE_MS);

    const refused = events.filter((event) => event.refusals.length > 0).length;
    process.stderr.write(
      `Redis killed ${KILLS} times: ${events.length} events, ${refused} of them refused at first\n`,
    );
    expect(brokenPromises(doubles.riverside, events, { isCheckedOut: true })).toEqual([]);
  },
  60_000 + PATIENCE_MS,
);
