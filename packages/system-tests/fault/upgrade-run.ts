import { setTimeout as pause } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { type Sent, createSender, startLoad } from './sender.ts';
import { type Fleet, type Shares, type Version, between, createFleet } from './upgrade-fleet.ts';

type Ids = 'midland' | 'lakeside' | 'riverside';

export interface UpgradeOptions {
  /** A folder with the build of each version: the repository's root, or what a process needs of it. */
  readonly previous: string;
  readonly present: string;
  /** Scans per second; 20. */
  readonly perSecond?: number;
  /** How long workers, and then receivers too, of both versions run side by side, in each direction. */
  readonly sideBySideMs: number;
  readonly log: (line: string) => void;
}

/** One direction: what each version did in it, and what it began with. */
type Direction = Shares & {
  /** Jobs in the queue when the first process of the other version started. */
  readonly queuedAtStart: number;
  /** Those of them that waited for a library. */
  readonly waitingAtStart: number;
};

type Begun = Omit<Direction, Version> & { readonly before: Shares };

/** What a run came to. */
export interface UpgradeReport {
  readonly events: number;
  readonly perSecond: number;
  /** Answers of 503 and deliveries without an answer, which a sender repeats. */
  readonly repeated: number;
  readonly upgrade: Direction;
  readonly rollback: Direction;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Events that were lost, done twice, or failed: must be empty. */
  readonly broken: readonly string[];
}

/** So many seconds' scans are in the queue, untouched, at the start of a direction. */
const BACKLOG_S = 2;
/** Of every fourth scan the home library is away by then: so many of these wait. */
const WAITING_S = 0.5;
/** For what was queued to end, on a machine that does other things, too. */
const PATIENCE_MS = 240_000;
const PER_SECOND = 20;
const OTHER: Readonly<Record<Version, Version>> = { previous: 'present', present: 'previous' };

/**
 * Upgrades a consortium under load from the previous version to the present one, and rolls it back, in the order of the runbook: workers
 * first, then receivers; and the other way round. Each direction begins with jobs in the queue that the leaving version wrote, some of which it has
 * begun, and that the coming one ends.
 */
export async function runUpgrade(options: UpgradeOptions): Promise<UpgradeReport> {
  const { previous, present, log } = options;
  let network: FaultProxy | undefined;
  const reachedAt = async (port: number): Promise<string> => {
    network = await startFaultProxy({ target: port });
    return `http://127.0.0.1:${network.port}`;
  };
  const consortium = await startConsortium<Ids>({
    libraries: {
      midland: { cards: ['^21234\\d{9}$'], reports: false },
      lakeside: { cards: ['^24680\\d{9}$'], reports: false, reachedAt },
      riverside: { cards: ['^25678\\d{9}$'] },
    },
    receivers: 0,
    workers: 0,
    // No key that the previous version might not know.
    keys: {
      defaults: {
        limits: { copies_per_hour: 100_000 },
        // A library is away for as long as a direction takes.
        retry: { give_up_after: '20m', checkout_within: '20m' },
      },
    },
  });
  const giveUp = new AbortController();
  let ticker: NodeJS.Timeout | undefined;
  try {
    if (network === undefined) throw new Error('nothing leads to lakeside');
    const fleet = createFleet(consortium, { previous, present });
    await fleet.start('previous', 'receiver', 2);
    await fleet.start('previous', 'worker', 2);
    const { perSecond = PER_SECOND } = options;
    const scan = scanner(consortium, fleet, giveUp.signal);
    const events: Sent[] = [];
    ticker = setInterval(() => void progressOf(consortium, fleet).then(log, () => undefined), 10_000);
    const go = async (to: Version): Promise<Direction> => {
      const load = startLoad(perSecond, scan);
      giveUp.signal.addEventListener('abort', () => void load.stop().catch(() => undefined));
      const begun = await replace(fleet, to, network, options);
      const sent = await load.stop();
      events.push(...sent);
      log(`only the ${to} version is left; waiting for the last of ${sent.length} events`);
      await untilAllReported(consortium.doubles.riverside, sent, PATIENCE_MS);
      const { before, ...others } = begun;
      return { ...between(before, await fleet.shares()), ...others };
    };
    const upgrade = await go('present');
    const rollback = await go('previous');
    return { perSecond, upgrade, rollback, ...ends(consortium, events) };
  } finally {
    giveUp.abort();
    clearInterval(ticker);
    await consortium.stop();
    await network?.close();
  }
}

/** Replaces every process by one of the other version. */
async function replace(
  fleet: Fleet,
  to: Version,
  network: FaultProxy | undefined,
  { sideBySideMs, perSecond = PER_SECOND, log }: UpgradeOptions,
): Promise<Begun> {
  const from = OTHER[to];
  log(`from the ${from} version to the ${to} one: lakeside goes away`);
  await network?.setMode('refuse');
  await waitFor(
    'jobs to wait for lakeside',
    async () => (await fleet.jobs('waiting')) >= WAITING_S * perSecond,
    {
      timeoutMs: 60_000,
    },
  );
  const waitingAtStart = await fleet.jobs('waiting');
  const before = await fleet.shares();
  // Workers lead an upgrade and follow a rollback: a version reads what the one before it wrote.
  const order = to === 'present' ? (['worker', 'receiver'] as const) : (['receiver', 'worker'] as const);
  let queuedAtStart = 0;
  for (const name of order) {
    if (name === 'worker') {
      await fleet.stop(from, name);
      await waitFor(
        'jobs that nobody works on',
        async () => (await fleet.jobs('queued')) >= BACKLOG_S * perSecond,
        {
          timeoutMs: 60_000,
        },
      );
      queuedAtStart = await fleet.jobs('queued');
      log(
        `${queuedAtStart} jobs queued, ${waitingAtStart} wait for lakeside; workers of both versions start`,
      );
      await Promise.all([fleet.start(to, name, 1), fleet.start(from, name, 1)]);
    } else await fleet.start(to, name, 1);
    await pause(sideBySideMs);
  }
  log('all four are at work; lakeside comes back');
  await network?.setMode('pass');
  await pause(sideBySideMs);
  const sharedOut = async (): Promise<boolean> =>
    Object.values(between(before, await fleet.shares())).every(
      ({ accepted, ended }) => accepted > 0 && ended > 0,
    );
  await waitFor('each version to accept and to end events beside the other', sharedOut, {
    timeoutMs: 120_000,
    everyMs: 200,
  });
  for (const name of order) {
    await fleet.start(to, name, 1);
    await fleet.stop(from, name);
  }
  return { before, queuedAtStart, waitingAtStart };
}

/** Sends scans of patrons whom nothing stands against, each with a book, to the receivers in rotation. */
function scanner(
  { doubles, secrets }: Consortium<Ids>,
  fleet: Fleet,
  signal: AbortSignal,
): () => Promise<Sent> {
  const { midland, lakeside, riverside } = doubles;
  const send = createSender({
    receiverUrls: fleet.receiverUrls,
    library: 'riverside',
    secret: secrets.riverside,
    signal,
  });
  let scans = 0;
  return () => {
    scans += 1;
    const card =
      scans % 4 === 0
        ? registerPatron(lakeside, { prefix: '24680' })
        : registerPatron(midland, { prefix: '21234' });
    return send({ cardnumber: card, item_barcode: shelveBook(riverside) });
  };
}

async function progressOf({ doubles }: Consortium<Ids>, fleet: Fleet): Promise<string> {
  const states = ['queued', 'working', 'waiting'];
  const jobs = await Promise.all(states.map(async (state) => `${await fleet.jobs(state)} ${state}`));
  const over = doubles.riverside.state().outcomes.filter(({ outcome }) => outcome !== null).length;
  return `${over} events ended; ${jobs.join(', ')}`;
}

function ends({ doubles }: Consortium<Ids>, events: readonly Sent[]) {
  const outcomes: Record<string, number> = {};
  for (const { outcome, state } of doubles.riverside.state().outcomes) {
    if (state !== 'done' && state !== 'failed') continue;
    outcomes[String(outcome)] = (outcomes[String(outcome)] ?? 0) + 1;
  }
  return {
    events: events.length,
    repeated: events.reduce((sum, { refusals }) => sum + refusals.length, 0),
    outcomes,
    broken: brokenPromises(doubles.riverside, events, { isCheckedOut: true }),
  };
}
