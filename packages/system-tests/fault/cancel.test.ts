import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { CancelAnswer, CancelResult, EventState } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import { type SeededRandom, seededRandom, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const TRIES = 200;
const SEED = 14;
const LENDERS = ['riverside', 'lakeside', 'hillside', 'northside'] as const;
type Lender = (typeof LENDERS)[number];

/** Slow enough that many events are at each step at any time; one create at a time for each lender. */
const KOHA_MS = 40;
/** So long that a cancel comes while an item is checked out, on a quick machine too. */
const CHECKOUT = { operation: 'POST /checkouts', kind: 'delay', ms: 250, times: TRIES } as const;
const SCANS_WITHIN_MS = 3_000;
const LATEST_CANCEL_MS = 3_000;
/** A worker stands still for so long, and then again and again: what it does next it decided long before. */
const FROZEN_MS = 250;
const AWAKE_MS = 400;

/** When an event is cancelled: at once, at a random time, or when Redis says that it has come so far. */
const MOMENTS = [
  'at once',
  'some time',
  'some time',
  'copy noted',
  'copy noted',
  'checkout noted',
  'ended',
] as const;
type Moment = (typeof MOMENTS)[number];

/** A machine with too much to do is slow, which is no failure of what is tried here. */
const SELDOM = { everyMs: 800, timeoutMs: 160_000 };
const PATIENT = {
  koha: { timeout: '10s' },
  retry: { checkout_within: '5m', give_up_after: '10m' },
};

type KohaState = ReturnType<KohaDouble['state']>;

interface Try {
  readonly lender: Lender;
  readonly moment: Moment;
  readonly card: string;
  readonly barcode: string;
  readonly eventId: string;
  readonly answer: CancelAnswer;
  readonly end: EventState;
}

let consortium: Consortium<Lender | 'midland'>;
beforeAll(async () => {
  const koha = { latencyMs: KOHA_MS };
  consortium = await startConsortium({
    libraries: {
      midland: { cards: ['^21234\\d{9}$'], koha, reports: false },
      riverside: { cards: ['^2\\d{3}$'], koha },
      lakeside: { cards: ['^3\\d{3}$'], koha },
      hillside: { cards: ['^4\\d{3}$'], koha },
      northside: { cards: ['^5\\d{3}$'], koha },
    },
    workers: 2,
    keys: { defaults: PATIENT },
  });
  for (const lender of LENDERS) consortium.doubles[lender].addFaults([CHECKOUT]);
}, 60_000);
afterAll(() => consortium?.stop());

type Noted = 'sent' | 'made';

/**
 * ARGV what to look for in each job: whether it is noted, or the event has ended. In one command for all events, for a look
 * at each would take the processor from those who work on them.
 */
const NOTED_LUA = `
local noted = {}
for index, job in ipairs(KEYS) do
  local data = cjson.decode(redis.call('HGET', job, 'data'))
  local is = type(data[ARGV[index]]) == 'table' or data.progress.outcome ~= cjson.null
  noted[index] = is and 1 or 0
end
return noted
`;
const NOTED_EVERY_MS = 30;
const awaited = new Map<string, { readonly what: Noted; resolve(): void }>();

/** Resolves the promises in `awaited` until the function that is returned is called. */
function watchJobs(): () => Promise<void> {
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const all = [...awaited];
      const keys = all.map(([job]) => job);
      const whats = all.map(([, { what }]) => what);
      // Not answered in time, on a machine with too much to do: the next look is soon.
      const noted = await consortium.redis
        .call('EVAL', NOTED_LUA, String(keys.length), ...keys, ...whats)
        .catch(() => []);
      for (const [index, [job, { resolve }]] of all.entries()) {
        if (!Array.isArray(noted) || noted[index] !== 1) continue;
        awaited.delete(job);
        resolve();
      }
      await pause(NOTED_EVERY_MS);
    }
  })();
  return () => {
    over.abort();
    return watching;
  };
}

async function untilMoment(moment: Moment, lender: Lender, eventId: string, waitMs: number): Promise<void> {
  if (moment === 'at once') return;
  if (moment === 'some time') return pause(waitMs);
  if (moment === 'ended') return void (await consortium.at(lender).follow(eventId, SELDOM));
  const what = moment === 'copy noted' ? 'sent' : 'made';
  await new Promise<void>((resolve) => {
    awaited.set(`{passport}:scans:${lender}.${eventId}`, { what, resolve });
  });
}

async function scanAndCancel(random: SeededRandom): Promise<Try> {
  const lender = random.pick(LENDERS);
  const moment = random.pick(MOMENTS);
  const [scanMs, waitMs] = [random.int(SCANS_WITHIN_MS), random.int(LATEST_CANCEL_MS)];
  const card = registerPatron(consortium.doubles.midland);
  const barcode = shelveBook(consortium.doubles[lender]);
  const desk = consortium.at(lender);
  await pause(scanMs);
  // A sender repeats what is answered 503, as on a machine that has too much to do.
  const how = { id: `evt_${card}`, scannedAt: new Date().toISOString() };
  const deliver = async () => {
    const scanned = await desk.scan({ cardnumber: card, item_barcode: barcode }, how);
    return scanned.status === 202 ? scanned : null;
  };
  const { eventId } = await waitFor('the scan to be accepted', deliver, SELDOM);
  await untilMoment(moment, lender, eventId, waitMs);
  const answer = await waitFor('the cancel to be answered', () => desk.cancel(eventId), SELDOM);
  return { lender, moment, card, barcode, eventId, answer, end: await desk.follow(eventId, SELDOM) };
}

/** Workers that stand still at any moment, each at its own, until the function that is returned is called. */
function freezeWorkers(): () => Promise<void> {
  const over = new AbortController();
  const frozen = consortium.services.workers.map(async (worker, index) => {
    await pause((index * (FROZEN_MS + AWAKE_MS)) / 2);
    while (!over.signal.aborted) {
      worker.signal('SIGSTOP');
      await pause(FROZEN_MS);
      worker.signal('SIGCONT');
      await pause(AWAKE_MS);
    }
  });
  return async () => {
    over.abort();
    await Promise.all(frozen);
  };
}

/** What is not as it was answered; null when all is right. */
function wrongOf({ card, barcode, answer: { result, state }, end }: Try, koha: KohaState): string | null {
  const checkouts = koha.checkouts.filter(({ external_id: borrowed }) => borrowed === barcode).length;
  const copy = koha.patrons.find(({ cardnumber }) => cardnumber === card) ?? null;
  const isCheckedOut =
    end.checkout?.result === 'CHECKED_OUT' || end.checkout?.result === 'ALREADY_CHECKED_OUT';
  const facts = `${result}, then ${end.outcome ?? 'no end'} ${end.checkout?.result ?? ''}, ${checkouts} checkouts, copy ${copy === null ? 'none' : 'there'}`;
  if (checkouts !== (isCheckedOut ? 1 : 0)) return facts;
  // Where the answer to the create was lost the end says that the copy may be there, by naming its home.
  const mayBeThere = end.patron_id === null && end.homes.length > 0;
  if (!mayBeThere && end.patron_id !== (copy?.patron_id ?? null)) return facts;
  switch (result) {
    case 'NOTHING_WRITTEN':
      return copy === null && end.outcome === 'CANCELLED' ? null : facts;
    case 'CHECKOUT_STOPPED':
      return checkouts === 0 && end.outcome === 'CANCELLED' ? null : facts;
    case 'ENDED':
      return end.outcome === state.outcome && end.seq === state.seq ? null : facts;
    case 'PENDING':
      return isCheckedOut || end.outcome === 'CANCELLED' ? null : facts;
    default:
      return result satisfies never;
  }
}

test(`in ${TRIES} tries at any moment, with workers that stand still now and then, nothing is checked out after a cancel`, async () => {
  const random = seededRandom(SEED);
  const [goOn, watchNoMore] = [freezeWorkers(), watchJobs()];
  const tried = Promise.all(Array.from({ length: TRIES }, () => scanAndCancel(random)));
  await Promise.allSettled([tried]);
  await Promise.all([goOn(), watchNoMore()]);
  const tries = await tried;
  const kohas = Object.fromEntries(
    LENDERS.map((lender) => [lender, consortium.doubles[lender].state()]),
  ) as Record<Lender, KohaState>;

  const wrongs = tries.flatMap((each) => {
    const wrong = wrongOf(each, kohas[each.lender]);
    return wrong === null ? [] : [`${each.lender}.${each.eventId}, ${each.moment}: ${wrong}`];
  });
  expect(wrongs).toEqual([]);
  const came = new Set<CancelResult>(tries.map(({ answer }) => answer.result));
  expect([...came].sort()).toEqual(['CHECKOUT_STOPPED', 'ENDED', 'NOTHING_WRITTEN', 'PENDING']);
  const isReported = (lender: Lender): boolean => {
    const reported = new Map(
      consortium.doubles[lender].state().outcomes.map((row) => [row.event_id, row.seq]),
    );
    const ends = tries.filter((each) => each.lender === lender).map(({ end }) => end);
    return ends.every(({ event_id: id, seq }) => reported.get(id) === seq);
  };
  // A report that is on its way when its event ends comes a little later.
  await waitFor('every desk to be notified', () => LENDERS.every(isReported), SELDOM);
}, 180_000);
