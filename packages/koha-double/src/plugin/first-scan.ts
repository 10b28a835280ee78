import { setTimeout as sleep } from 'node:timers/promises';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import type { pluginSources } from '../settings.ts';
import {
  decidesOf,
  deskOf,
  hasPatterns,
  isCardShaped,
  isItem,
  postEvent,
  scanKey,
  sendScan,
  type Scan,
} from './receiver.ts';

const pauseMs = 25;

/**
 * The plugin's hook, after whose end Koha goes on whatever came of it: a patron who is known costs one look-up, and a copy is
 * reported beside the page (once a day, or at each visit); an unknown card is reported, and the page waits a moment for the copy, at most one page at a
 * time. Never sends an item: the page goes on with the checkout itself. `find` looks for the patron where Koha will.
 */
export async function firstScan(
  double: Double,
  {
    sipAccount,
    session,
    ...scan
  }: Omit<Scan, 'item_barcode' | 'decides' | 'desk'> & {
    readonly sipAccount?: string;
    readonly session?: string;
  },
  find = (card: string): PatronRow | undefined => double.db.patrons.withCard(card),
): Promise<void> {
  const { settings, db } = double;
  const { webhook, plugin } = settings;
  if (!plugin || webhook === null) return;
  const isOff = (source: (typeof pluginSources)[number]): boolean => webhook.off?.includes(source) === true;
  const isElsewhere = scan.interface === 'sip' && webhook.sip?.includes(sipAccount ?? '') !== true;
  const known = find(scan.cardnumber);
  if (known !== undefined) {
    const { patron_id } = known;
    const isReported = !isElsewhere && !isOff('copies') && db.copies.markSeen(patron_id, double.realNowMs());
    if (isReported) void postEvent(double, double.newId(), 'patron.seen', { patron_id });
    return;
  }
  if (isElsewhere || (scan.interface !== 'sip' && isOff(scan.interface))) return;
  if (!isCardShaped(scan.cardnumber, webhook.patterns)) return;
  const canBeItem = scan.interface === 'staff' || !hasPatterns(webhook.patterns);
  if (canBeItem && isItem(double, scan.cardnumber)) return;
  const staff =
    scan.interface === 'staff' && scan.operator !== null ? db.patrons.get(scan.operator) : undefined;
  const desk =
    scan.interface === 'staff' && session !== undefined ? deskOf(webhook.secret, session) : undefined;
  const sent = await sendScan(double, {
    ...scan,
    ...(staff === undefined ? {} : { decides: decidesOf(staff) }),
    ...(desk === undefined ? {} : { desk }),
  });
  if (sent.kind !== 'accepted') return;
  db.outcomes.note(sent.eventId, double.realNowMs(), scanKey(webhook.secret, scan.cardnumber, desk));
  const limitMs = scan.interface === 'staff' ? webhook.staff_wait_ms : webhook.self_check_wait_ms;
  const isThere = (): boolean => find(scan.cardnumber) !== undefined;
  const wait = (): Promise<void> => waitFor(double, sent.eventId, isThere, limitMs);
  // A SIP connection has a process of its own, no web worker.
  await (scan.interface === 'sip' ? wait() : alone(double, wait));
}

async function alone({ waiting }: Double, wait: () => Promise<void>): Promise<void> {
  if (waiting.isTaken) return;
  waiting.isTaken = true;
  try {
    await wait();
  } finally {
    waiting.isTaken = false;
  }
}

/** Until the patron is there, or it is decided that nobody comes, or the time is up. */
async function waitFor(
  double: Double,
  eventId: string,
  isThere: () => boolean,
  limitMs: number,
): Promise<void> {
  const endsAtMs = double.realNowMs() + limitMs;
  for (;;) {
    const isDecided = double.db.outcomes.isDecided(eventId);
    const leftMs = endsAtMs - double.realNowMs();
    if (isThere() || isDecided || leftMs <= 0) return;
    await sleep(Math.min(pauseMs, leftMs));
  }
}
