import { InvalidArgumentError } from 'commander';
import { type EventState, parseJob } from '@passport/contract';
import { openSip, type SipAccess, type SipConnection } from '@passport/koha-client';
import { ANY_EVENT, EVENT_STATES, findEvents, type ListedEvent } from '@passport/queue/events';
import type { OpenQueue } from '../../connect/with-queue.ts';
import { type CliDeps, WrongUse } from '../../program/index.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { SeenAnswer, Site } from './site.ts';
import { NotTried } from './trial.ts';

/** Where a SIP server listens. */
interface SipPlace {
  readonly host: string;
  readonly port: number;
}

/** Parses `HOST:PORT`, with an IPv6 address in brackets. Throws InvalidArgumentError. */
export function parseSipPlace(text: string): SipPlace {
  const [, host = '', port = ''] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('It is no HOST:PORT such as koha.example.org:6001.');
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) };
}

/** Parses what goes into a field of SIP. Throws InvalidArgumentError. */
export function parseSipValue(text: string): string {
  if (/[|\r\n]/.test(text))
    throw new InvalidArgumentError('It has a | or a line break, which ends a field of SIP.');
  return text;
}

/** Who a self-check at a branch is to the SIP server; null where none is given. Throws WrongUse where something of it is missing. */
export function kioskOf(
  { sip, sipUser, sipInstitution }: SipOptions,
  password: string | null,
): ((branch: string) => SipAccess) | null {
  if (sip === undefined) {
    if (sipUser === undefined && sipInstitution === undefined) return null;
    throw new WrongUse('--sip-user and --sip-institution need --sip');
  }
  if (sipUser === undefined || password === null)
    throw new WrongUse('--sip needs --sip-user, and PASSPORT_SIP_PASSWORD (or its _FILE) in the environment');
  return (branch) => ({ ...sip, user: sipUser, password, institution: sipInstitution ?? branch });
}

interface SipOptions {
  readonly sip: SipPlace | undefined;
  readonly sipUser: string | undefined;
  readonly sipInstitution: string | undefined;
}

const AT_ONCE = 100;
/** The receiver dates an event back by what Redis took to answer: it may come from before a moment that Redis has told us already. */
const EARLY_MS = 1_000;
/** The login, and the two scans of cards that are unknown there: each is answered, and is reported and ends, within the time for one scan. */
const MOST_WAITS = 5;

/** A scan, and whether the queue is done with it: until then the same card is coalesced with it. */
interface KioskScan {
  readonly state: EventState;
  readonly hasEnded: boolean;
}

/**
 * The scans that a library's plugin has reported from SIP between two moments of the queue's clock: their ids are the plugin's own, and the
 * cards are encrypted. At a Koha for trying nobody else is at a self-check meanwhile.
 */
export async function kioskScans(
  { redis, queue, nameOf }: OpenQueue,
  library: string,
  { sinceMs, untilMs }: Pick<Extract<JournalEntry, { kind: 'kiosk' }>, 'sinceMs' | 'untilMs'>,
): Promise<KioskScan[]> {
  const found: KioskScan[] = [];
  const look = async (event: ListedEvent): Promise<void> => {
    if (event.kind === 'unreadable') return;
    const job = await queue.getJob(event.jobId);
    const read = parseJob(job?.data);
    if (read.kind === 'unreadable') return;
    const { interface: from, received_ms: receivedMs } = read.job;
    const hasEnded = job?.finishedOn !== undefined;
    if (from === 'sip' && receivedMs >= sinceMs && receivedMs <= untilMs)
      found.push({ state: event.state, hasEnded });
  };
  for (const state of EVENT_STATES) {
    let after: string | null = null;
    do {
      const search = { ...ANY_EVENT, state, libraries: [library], fromMs: sinceMs, after, most: AT_ONCE };
      const page = await findEvents(redis, queue, nameOf, search);
      for (const event of page.events) await look(event);
      after = page.next;
    } while (after !== null);
  }
  return found;
}

/** What a self-check needs of a stage. */
export interface KioskParts {
  readonly open: OpenQueue;
  readonly lending: Site;
  readonly journal: Journal;
  /** The lending library's SIP server; null: none is given. */
  readonly sip: SipAccess | null;
  readonly onAnswer: (answer: SeenAnswer) => void;
  /** How long one scan, or one thing that follows by itself, may take. */
  readonly forMs: number;
  readonly deps: Pick<CliDeps, 'now'>;
}

/** A self-check of the lending library, by SIP. */
export function buildKiosk(
  { open, lending, journal, sip, onAnswer, forMs, deps }: KioskParts,
  {
    times,
    until,
  }: {
    readonly times: number[];
    readonly until: (what: string, isSo: () => Promise<boolean>) => Promise<void>;
  },
) {
  const { id } = lending.library;

  /** Logs a self-check in for one piece of work. What it scans is the plugin's to report, under ids that nobody knows here before. */
  async function atKiosk(work: (kiosk: SipConnection) => Promise<void>): Promise<void> {
    if (sip === null) throw new NotTried('it needs the SIP server of the lending library: --sip');
    const sinceMs = (await open.now()) - EARLY_MS;
    const untilMs = sinceMs + EARLY_MS + MOST_WAITS * forMs;
    await journal.note({ kind: 'kiosk', library: id, sinceMs, untilMs });
    const onShape = (shape: Omit<SeenAnswer, 'side'>): void => onAnswer({ ...shape, side: 'lending' });
    const kiosk = await openSip(sip, { timeoutMs: forMs, now: deps.now, onShape });
    try {
      await work(kiosk);
    } finally {
      kiosk.close();
    }
    // After a failure something may still be reported.
    await journal.note({ kind: 'kiosk', library: id, sinceMs, untilMs: await open.now() });
  }

  /** Scans an unknown card at the self-check, and follows what the plugin reports of it to its end. */
  async function scanAtKiosk<T>(ask: () => Promise<T>): Promise<{
    readonly answer: T;
    readonly scanned: { readonly state: EventState | null; readonly ms: number };
  }> {
    const span = { sinceMs: (await open.now()) - EARLY_MS, untilMs: Infinity };
    const known = new Set((await kioskScans(open, id, span)).map(({ state }) => state.event_id));
    const startedAt = performance.now();
    const answer = await ask();
    let ended: EventState | null = null;
    await until(`the plugin of ${id} reports the card at the self-check, and the scan ends`, async () => {
      const scans = (await kioskScans(open, id, span)).filter(({ state }) => !known.has(state.event_id));
      ended = scans.every(({ hasEnded }) => hasEnded) ? (scans[0]?.state ?? null) : null;
      return ended !== null;
    });
    const ms = performance.now() - startedAt;
    times.push(ms);
    return { answer, scanned: { state: ended, ms } };
  }

  return { atKiosk, scanAtKiosk };
}
