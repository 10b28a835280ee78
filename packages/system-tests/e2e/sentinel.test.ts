import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type StartedRedis,
  buildScanEvent,
  createReceiverClient,
  freePort,
  signedRequest,
  waitFor,
} from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { type WatchedRedis, startWatchedRedis } from '../harness/start-watched-redis.ts';
import { checkWorkflow } from '../harness/check-workflow.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

/** Ten for the proof (docs/decisions/0014-sentinel-and-wait.md), two in every run. */
const TRIES = Number(process.env['PASSPORT_SENTINEL_TRIES'] ?? 2);
/** Zero shows what is lost without it. */
const REDIS_MIN_REPLICAS = process.env['PASSPORT_SENTINEL_REPLICAS'] ?? '1';
/** So many are acknowledged before the master is killed, and half as many after it. */
const EVENTS = 20;
const AT_ONCE = 6;

let redis: WatchedRedis;
let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  redis = await startWatchedRedis(1);
  consortium = await startConsortium({
    libraries: threeLibraries,
    receivers: 2,
    workers: 2,
    keys: { defaults: { limits: { copies_per_hour: 100_000 } } },
    env: { REDIS_URL: redis.url, REDIS_MIN_REPLICAS },
  });
}, 60_000);
afterAll(async () => {
  await consortium?.stop();
  await redis?.stop();
});

const desks = () =>
  consortium.services.receivers.map(({ url }) =>
    createReceiverClient({ receiverUrl: url, library: 'riverside', secret: consortium.secrets.riverside }),
  );

interface Sent {
  readonly id: string;
  readonly card: string;
  readonly book: string;
  readonly acknowledgedAt: number;
}

/** Sends the scan of a new patron to one receiver or the other, as a sender does, until it is answered 202. */
async function sendUntilAcknowledged(place: number): Promise<Sent> {
  const { midland, riverside } = consortium.doubles;
  const [card, book] = [registerPatron(midland), shelveBook(riverside)];
  const body = buildScanEvent({ cardnumber: card, item_barcode: book });
  const request = signedRequest({ secret: consortium.secrets.riverside, body });
  const all = desks();
  let attempt = place;
  await waitFor(
    `event ${request.id} to be acknowledged`,
    async () => (await all[attempt++ % all.length]?.deliver(request))?.status === 202,
    { timeoutMs: 30_000, everyMs: 50 },
  );
  return { id: request.id, card, book, acknowledgedAt: performance.now() };
}

/** A steady stream of scans, some at once; `sent` grows with each that is acknowledged, until it is to end. */
function startStream() {
  let begun = 0;
  const stop = new AbortController();
  const sent: Sent[] = [];
  const line = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      begun += 1;
      sent.push(await sendUntilAcknowledged(begun));
    }
  };
  const lines = Promise.all(Array.from({ length: AT_ONCE }, line));
  const end = async (): Promise<void> => {
    stop.abort();
    await lines;
  };
  return { sent, end };
}

/**
 * The worst moment: the replica stops following, the master goes on taking writes for a while, and is then killed with
 * what the replica has not got.
 */
async function killAlone(): Promise<{ readonly at: number; revive(): Promise<void> }> {
  const [master, replicas] = [await redis.master(), await redis.replicas()];
  const nobody = String(await freePort());
  // A Sentinel that puts a node in its place closes its connections: hence as often as it takes.
  for (const replica of replicas) {
    await waitFor('a replica to be cut off', () => replica.call('REPLICAOF', '127.0.0.1', nobody));
  }
  const before = await waitFor('the master to say what it has', () => bytesWritten(master));
  await waitFor(
    'events that the master alone has',
    async () => (await bytesWritten(master)) > before + 5_000,
  );
  await master.kill();
  const at = performance.now();
  return {
    at,
    async revive() {
      await waitFor('another master', async () => (await redis.master()) !== master, { timeoutMs: 15_000 });
      await redis.bringBack(master);
    },
  };
}

async function bytesWritten(master: StartedRedis): Promise<number> {
  const info = String(await master.call('INFO', 'replication'));
  return Number(/master_repl_offset:(\d+)/.exec(info)?.[1]);
}

test('the workflow passes on a Redis behind Sentinels, one of which is gone', async () => {
  await checkWorkflow(consortium);
}, 60_000);

test(
  `of the events acknowledged while the master is killed none is lost or done twice, in ${TRIES} tries`,
  async () => {
    const { riverside } = consortium.doubles;
    const [desk] = desks();
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const { sent, end } = startStream();
      await waitFor('events before the kill', () => sent.length >= EVENTS, { timeoutMs: 20_000 });
      const killed = await killAlone();
      await killed.revive();
      const after = () => sent.filter(({ acknowledgedAt }) => acknowledgedAt > killed.at).length;
      await waitFor('events after the kill', () => after() >= EVENTS / 2, { timeoutMs: 20_000 });
      await end();
      for (const { id, card, book } of sent) {
        const state = await desk?.follow(id, { timeoutMs: 30_000 });
        expect(['COPIED', 'ALREADY_LOCAL']).toContain(state?.outcome);
        expect(['CHECKED_OUT', 'ALREADY_CHECKED_OUT']).toContain(state?.checkout?.result);
        expect(riverside.state(card)).toMatchObject({
          patrons: [{ cardnumber: card }],
          checkouts: [{ external_id: book }],
        });
      }
    }
  },
  60_000 * Math.max(TRIES, 1),
);
