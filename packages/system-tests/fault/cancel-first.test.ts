import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { CancelResult, EventState } from '@passport/contract';
import { type SeededRandom, seededRandom, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

/** A report that timed out at the desk, and comes after its cancel, or with it, or before. */
const TRIES = 200;
const SEED = 73;
const SCANS_WITHIN_MS = 6_000;
const ORDERS = ['cancel first', 'scan first', 'at the same time'] as const;
type Order = (typeof ORDERS)[number];
const SELDOM = { everyMs: 300, timeoutMs: 120_000 };

interface Try {
  readonly order: Order;
  readonly card: string;
  readonly barcode: string;
  readonly eventId: string;
  /** `unknown`: the receiver knew no such event, which the desk shows as "nothing was written". */
  readonly answer: CancelResult | 'unknown';
  readonly end: EventState;
}

let consortium: Consortium<'midland' | 'riverside'>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: {
      midland: { cards: ['^21234\\d{9}$'], koha: { latencyMs: 20 }, reports: false },
      riverside: { cards: ['^2\\d{3}$'], koha: { latencyMs: 20 } },
    },
    receivers: 2,
    workers: 2,
    keys: { defaults: { koha: { timeout: '10s' }, retry: { checkout_within: '5m', give_up_after: '10m' } } },
  });
}, 60_000);
afterAll(() => consortium?.stop());

async function tryOne(random: SeededRandom, n: number): Promise<Try> {
  const order = ORDERS[n % ORDERS.length] ?? 'cancel first';
  const [scanMs, apartMs] = [random.int(SCANS_WITHIN_MS), random.int(40)];
  const card = registerPatron(consortium.doubles.midland);
  const barcode = shelveBook(consortium.doubles.riverside);
  // The two may come to different receivers.
  const [desk, other] = [consortium.at('riverside', n % 2), consortium.at('riverside', random.int(2))];
  const how = { id: `evt_${card}`, scannedAt: new Date(Date.now() + scanMs).toISOString() };
  await pause(scanMs);
  const scan = () =>
    waitFor(
      'the scan to be accepted',
      async () => (await desk.scan({ cardnumber: card, item_barcode: barcode }, how)).status === 202,
      SELDOM,
    );
  const cancel = async (): Promise<Try['answer']> => {
    // One that is answered 503 is repeated, as the panel does.
    const actual = await waitFor(
      'the cancel to be answered',
      async () => ({ answer: await other.cancel(how.id) }),
      SELDOM,
    );
    return actual.answer === null ? 'unknown' : actual.answer.result;
  };
  let answer: Try['answer'];
  if (order === 'cancel first') {
    answer = await cancel();
    await pause(apartMs);
    await scan();
  } else if (order === 'scan first') {
    await scan();
    await pause(apartMs);
    answer = await cancel();
  } else [answer] = await Promise.all([cancel(), scan()]);
  const end = await desk.follow(how.id, SELDOM);
  return { order, card, barcode, eventId: how.id, answer, end };
}

/** What contradicts the answer; null: nothing does. */
function wrongOf({ card, barcode, answer, end }: Try): string | null {
  const koha = consortium.doubles.riverside.state();
  const checkouts = koha.checkouts.filter(({ external_id: borrowed }) => borrowed === barcode).length;
  const copies = koha.patrons.filter(({ cardnumber }) => cardnumber === card).length;
  const facts = `${answer}, then ${end.outcome ?? 'no end'}, ${checkouts} checkouts, ${copies} copies`;
  const isNothing = copies === 0 && checkouts === 0 && end.outcome === 'CANCELLED';
  if (answer === 'unknown' || answer === 'NOTHING_WRITTEN') return isNothing ? null : facts;
  if (answer === 'CHECKOUT_STOPPED') return checkouts === 0 ? null : facts;
  return null;
}

test(`in ${TRIES} tries, in both orders and at the same time, nothing is written after the answer that nothing was`, async () => {
  const random = seededRandom(SEED);
  const tries = await Promise.all(Array.from({ length: TRIES }, (_, n) => tryOne(random, n)));
  const wrongs = tries.flatMap((each) => {
    const wrong = wrongOf(each);
    return wrong === null ? [] : [`${each.eventId}, ${each.order}: ${wrong}`];
  });
  expect(wrongs).toEqual([]);
  const first = tries.filter(({ order }) => order === 'cancel first');
  expect(new Set(first.map(({ answer }) => answer))).toEqual(new Set(['unknown']));
  expect(tries.filter(({ order, answer }) => order === 'scan first' && answer === 'unknown')).toEqual([]);
  // Each has ended for the queue, too: nothing is left in a backlog, and each desk was notified.
  const unfinished = async () => (await consortium.redis.call('ZCARD', '{passport}:backlog:riverside')) === 0;
  await waitFor('the backlog to be empty', unfinished, SELDOM);
  const reported = () => {
    const rows = new Map(consortium.doubles.riverside.state().outcomes.map((row) => [row.event_id, row.seq]));
    return tries.every(({ end }) => rows.get(end.event_id) === end.seq);
  };
  await waitFor('every desk to be notified', reported, SELDOM);
}, 180_000);
