import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { type SeededRandom, seededRandom } from '@passport/testkit';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { type ChaosEvent, type ChaosLibrary, LIBRARIES, PREFIXES, createEventMaker } from './chaos-events.ts';
import { LIBRARY_BREAKERS, PROCESS_BREAKERS, breakThings } from './chaos-faults.ts';
import { type Sender, type SenderCounts, createSender } from './chaos-sender.ts';
import { type EventEnd, type Wrongs, findWrongs } from './chaos-findings.ts';

export interface ChaosOptions {
  /** How long things are broken. */
  readonly breakingMs: number;
  /** Repeats the choices of a run: which events, which faults, in which order. */
  readonly seed: number;
  readonly log: (line: string) => void;
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
  readonly wrongs: Wrongs;
}

const CHECKOUT_WITHIN_S = 12;
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
export async function runChaos({ breakingMs, seed, log }: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  const consortium = await startChaosConsortium();
  const blocked = monitorEventLoopDelay({ resolution: 10 });
  blocked.enable();
  try {
    const endsAtMs = performance.now() + breakingMs;
    const faults: Record<string, number> = {};
    const sender = createSender(consortium.services, seededRandom(seed + 1));
    const ticker = setInterval(() => log(progressOf(sender, faults, endsAtMs)), 30_000);
    const [events] = await Promise.all([
      sendEvents(consortium, sender, seededRandom(seed), endsAtMs),
      breakThings(PROCESS_BREAKERS, consortium, seededRandom(seed + 2), {
        endsAtMs,
        pauseMs: 2_500,
        counts: faults,
      }),
      breakThings(LIBRARY_BREAKERS, consortium, seededRandom(seed + 3), {
        endsAtMs,
        pauseMs: 2_000,
        counts: faults,
      }),
    ]).finally(() => clearInterval(ticker));
    for (const id of LIBRARIES) consortium.doubles[id].clearFaults();
    log(`all healed; waiting for ${events.length} events`);
    await sender.settled();
    const ends = await endsOf(consortium, events);
    const kohasBlockedMs = Math.ceil(blocked.max / 1e6);
    return {
      seed,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
      events: events.length,
      deliveries: sender.counts,
      faults,
      outcomes: countBy(ends.map(({ state }) => state?.outcome ?? 'none')),
      checkouts: countBy(ends.map(({ state }) => state?.checkout?.result ?? 'none')),
      kohasBlockedMs,
      wrongs: await settledWrongs(
        consortium,
        ends,
        CHECKOUT_WITHIN_S * 1_000 + DELIVERY_CLOCK_MS + SLOWEST_KOHA_MS + kohasBlockedMs,
      ),
    };
  } finally {
    blocked.disable();
    await consortium.stop();
  }
}

function startChaosConsortium(): Promise<Consortium<ChaosLibrary>> {
  const plan = (id: ChaosLibrary) => (id === 'lakeside' ? {} : { cards: [`^${PREFIXES[id]}\\d{9}$`] });
  const libraries = Object.fromEntries(LIBRARIES.map((id) => [id, plan(id)]));
  return startConsortium<ChaosLibrary>({
    libraries: libraries as Record<ChaosLibrary, ReturnType<typeof plan>>,
    receivers: 2,
    workers: 3,
    redis: { appendonly: true },
    keys: {
      defaults: {
        koha: { timeout: '1s' },
        // The hourly limits are not what is tried here: ten minutes hold more than an hour of a real library.
        limits: { copies_per_hour: 100_000, misses_per_hour: 100_000, verdicts_per_hour: 100_000 },
        retry: { checkout_within: `${CHECKOUT_WITHIN_S}s`, give_up_after: `${GIVE_UP_AFTER_S}s` },
      },
    },
  });
}

/** Events at random intervals, now and then delivered twice or scanned twice, until the end. */
async function sendEvents(
  consortium: Consortium<ChaosLibrary>,
  sender: Sender,
  random: SeededRandom,
  endsAtMs: number,
): Promise<ChaosEvent[]> {
  const maker = createEventMaker(consortium, random);
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
