import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { REMEMBERED_SOON, type SeededRandom, seededRandom } from '@passport/testkit';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { TEXT, openDesks } from './chaos-consent.ts';
import { type DisclosureReport, type Disclosures, findDisclosures } from './chaos-disclosures.ts';
import { type ChaosEvent, type EventMaker, createEventMaker } from './chaos-events.ts';
import { type FaultSpan, LIBRARY_BREAKERS, PROCESS_BREAKERS, breakThings } from './chaos-faults.ts';
import { type ChaosLibrary, LIBRARIES, PREFIXES } from './chaos-libraries.ts';
import { type Changes, MOST_OWED, changeThings, sweepAndRead } from './chaos-people.ts';
import { readCopies, readReceipts, readRecords, sweepToTheEnd } from './chaos-settle.ts';
import { type Wire, listenAt, openWire } from './chaos-wire.ts';
import { type Sender, type SenderCounts, createSender } from './chaos-sender.ts';
import { type EventEnd, type Wrongs, findWrongs } from './chaos-findings.ts';

export interface ChaosOptions {
  /** How long things are broken. */
  readonly breakingMs: number;
  /** Repeats the choices of a run: which events, which faults, in which order. */
  readonly seed: number;
  readonly log: (line: string) => void;
  /** How long to wait, once all is healed, for a last sweep of every library; 0: there is none. */
  readonly lastSweepsMs: number;
}

/** What a run came to; all of `wrongs` must be empty. */
export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly events: number;
  readonly deliveries: Readonly<SenderCounts>;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly checkouts: Readonly<Record<string, number>>;
  /** For how long the Kohas, which live in this process, answered nobody at the worst. */
  readonly kohasBlockedMs: number;
  /** What was changed at home and at lending libraries, and the sweeps and readings that were requested. */
  readonly changes: Readonly<Record<string, number>>;
  /** How many (patron, lending library, field) were on the wire, and the like. */
  readonly disclosures: DisclosureReport['counts'];
  readonly wrongs: Wrongs & Disclosures & { readonly 'libraries not swept in the end': readonly string[] };
}

const CHECKOUT_WITHIN_S = 12;
/** The configuration demands that it is shorter than the one below. */
const CONSENT_WITHIN_S = 15;
/**
 * Also how long a report is repeated, and that must outlast a run of bad luck: six tries in a row that each met a
 * library which was just away have been seen within 25 s.
 */
const GIVE_UP_AFTER_S = 60;
/** After the last fault: everything in the queue has given up by then. */
const PATIENCE_MS = (GIVE_UP_AFTER_S + 35) * 1_000;

/**
 * What lies between the last moment at which a checkout may be sent and the one at which Koha has made it: the slowest
 * that the faults make a Koha (latency and delay, chaos-faults.ts), and the second to which a delivery states its own
 * time (`webhook-timestamp`), from which the age of its scan follows.
 */
const SLOWEST_KOHA_MS = 300 + 600;
const DELIVERY_CLOCK_MS = 1_000;

/** Sends random events to a real consortium while its parts are broken at random, and holds the end against the promises. */
export async function runChaos({ breakingMs, seed, log, lastSweepsMs }: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  const wire = openWire();
  const consortium = await startChaosConsortium(wire);
  const blocked = monitorEventLoopDelay({ resolution: 10 });
  blocked.enable();
  try {
    const endsAtMs = performance.now() + breakingMs;
    const faults: Record<string, number> = {};
    const spans: FaultSpan[] = [];
    const changes: Changes = { edits: [], counts: {} };
    const desks = openDesks(consortium, seededRandom(seed + 4), PATIENCE_MS);
    const sender = createSender(consortium.services, seededRandom(seed + 1), (event) => desks.watch(event));
    const maker = createEventMaker(consortium, seededRandom(seed));
    const people = maker.eligible;
    const ticker = setInterval(() => log(progressOf(sender, faults, endsAtMs)), 30_000);
    const breaking = { endsAtMs, counts: faults };
    const [events] = await Promise.all([
      sendEvents(maker, sender, seededRandom(seed + 7), endsAtMs),
      breakThings(PROCESS_BREAKERS, consortium, seededRandom(seed + 2), {
        ...breaking,
        pauseMs: 2_500,
        spans,
      }),
      breakThings(LIBRARY_BREAKERS, consortium, seededRandom(seed + 3), {
        ...breaking,
        pauseMs: 2_000,
        spans: [],
      }),
      changeThings({ consortium, random: seededRandom(seed + 5), people, changes }, endsAtMs),
      sweepAndRead({ consortium, random: seededRandom(seed + 6) }, endsAtMs, changes.counts),
    ]).finally(() => clearInterval(ticker));
    for (const id of LIBRARIES) consortium.doubles[id].clearFaults();
    log(`all healed; waiting for ${events.length} events`);
    await sender.settled();
    const ends = await endsOf(consortium, events);
    await desks.settled();
    const kohasBlockedMs = Math.ceil(blocked.max / 1e6);
    const wrongs = await settledWrongs(
      consortium,
      ends,
      CHECKOUT_WITHIN_S * 1_000 + DELIVERY_CLOCK_MS + SLOWEST_KOHA_MS + kohasBlockedMs,
    );
    if (lastSweepsMs > 0) log('waiting for the last sweeps');
    const unswept = lastSweepsMs > 0 ? await sweepToTheEnd(consortium, lastSweepsMs) : [];
    const { counts, wrongs: disclosed } = findDisclosures({
      wire,
      receipts: await readReceipts(consortium),
      records: await readRecords(consortium),
      copies: readCopies(consortium),
      people: maker.everybody,
      ends,
      edits: changes.edits,
      faults: spans,
    });
    return {
      seed,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
      events: events.length,
      deliveries: sender.counts,
      faults,
      outcomes: countBy(ends.map(({ state }) => state?.outcome ?? 'none')),
      checkouts: countBy(ends.map(({ state }) => state?.checkout?.result ?? 'none')),
      kohasBlockedMs,
      changes: changes.counts,
      disclosures: counts,
      wrongs: { ...wrongs, ...disclosed, 'libraries not swept in the end': unswept },
    };
  } finally {
    blocked.disable();
    await consortium.stop();
  }
}

function startChaosConsortium(wire: Wire): Promise<Consortium<ChaosLibrary>> {
  const applied = { card: 'apply', restricted: 'apply', card_lost: 'apply' };
  const entry = { refresh: { sweep: '03:00', at_scan: true, ...applied }, owed: { read: '03:30' } };
  const plan = (id: ChaosLibrary) => ({
    entry,
    koha: listenAt(id, wire),
    ...(id === 'lakeside' ? {} : { cards: [`^${PREFIXES[id]}\\d{9}$`] }),
  });
  const libraries = Object.fromEntries(LIBRARIES.map((id) => [id, plan(id)]));
  const agreements = LIBRARIES.flatMap((home) =>
    LIBRARIES.filter((id) => id !== home).map((lending) => ({
      home,
      lending,
      recourse: { block_home_over: MOST_OWED },
    })),
  );
  return startConsortium<ChaosLibrary>({
    libraries: libraries as Record<ChaosLibrary, ReturnType<typeof plan>>,
    receivers: 2,
    workers: 3,
    redis: { appendonly: true },
    env: REMEMBERED_SOON,
    keys: {
      agreements,
      defaults: {
        koha: { timeout: '1s' },
        copy: { category: 'PT', consent: 'ask', consent_text: TEXT, consent_within: `${CONSENT_WITHIN_S}s` },
        limits: NO_LIMITS,
        retry: { checkout_within: `${CHECKOUT_WITHIN_S}s`, give_up_after: `${GIVE_UP_AFTER_S}s` },
      },
    },
  });
}

/** The hourly limits are not what is tried here: ten minutes hold more than an hour of a real library. */
const NO_LIMITS = {
  copies_per_hour: 100_000,
  misses_per_hour: 100_000,
  verdicts_per_hour: 100_000,
  refreshes_per_hour: 100_000,
};

/** Events at random intervals, now and then delivered twice or scanned twice, until the end. */
async function sendEvents(
  maker: EventMaker,
  sender: Sender,
  random: SeededRandom,
  endsAtMs: number,
): Promise<ChaosEvent[]> {
  const events: ChaosEvent[] = [];
  const send = (event: ChaosEvent): void => {
    events.push(event);
    sender.send(event);
  };
  while (performance.now() < endsAtMs) {
    const event = maker.make();
    send(event);
    const chance = random.next();
    if (chance < 0.1) send(maker.scanAgain(event));
    else if (chance < 0.2) sender.send(event);
    await pause(random.int(250));
  }
  return events;
}

async function endsOf(
  consortium: Consortium<ChaosLibrary>,
  events: readonly ChaosEvent[],
): Promise<EventEnd[]> {
  const givesUpAt = performance.now() + PATIENCE_MS;
  const ends: EventEnd[] = [];
  for (const event of events) {
    const receiver = consortium.at(event.library);
    const timeoutMs = Math.max(1, givesUpAt - performance.now());
    const state =
      event.followId === null
        ? null
        : await receiver.follow(event.followId, { timeoutMs }).catch(() => receiver.state(event.id));
    ends.push({ event, state });
  }
  return ends;
}

/** The desks are notified beside the outcome: a report that was lost is repeated for a while. */
async function settledWrongs(
  consortium: Consortium<ChaosLibrary>,
  ends: readonly EventEnd[],
  checkedOutWithinMs: number,
): Promise<Wrongs> {
  const kohas = LIBRARIES.map((id) => consortium.doubles[id]);
  const look = (): Wrongs => findWrongs(ends, kohas, checkedOutWithinMs);
  const isMissing = (): boolean => look()['desks without a report'].length > 0;
  for (let waited = 0; isMissing() && waited < GIVE_UP_AFTER_S; waited += 1) {
    await pause(1_000);
  }
  return look();
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function progressOf({ counts }: Sender, faults: Readonly<Record<string, number>>, endsAtMs: number): string {
  const broken = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const leftS = Math.round((endsAtMs - performance.now()) / 1_000);
  return `${counts.acknowledged} events acknowledged, ${broken} faults, ${leftS} s to go`;
}
