import { setTimeout as sleep } from 'node:timers/promises';
import type { Double } from '../double.ts';
import { isCardShaped } from './card-shape.ts';
import { sendEvent, sendSeen, type Scan } from './receiver.ts';
import { scanKey } from './scan-key.ts';

/** How the hook ended. Koha goes on the same way after each. */
export type FirstScan = 'known' | 'off' | 'no_card' | 'unsent' | 'busy' | 'there' | 'decided' | 'late';

const pauseMs = 25;

/**
 * The plugin's hook: a patron who is known costs one look-up, and a copy is reported beside the page once a day; an unknown card is reported, and the page waits a moment
 * for the copy, at most one page at a time. Never sends an item: the page goes on with the checkout itself.
 */
export async function firstScan(double: Double, scan: Omit<Scan, 'itemBarcode'>): Promise<FirstScan> {
  const { webhook, plugin } = double.settings;
  const known = double.db.patrons.withCard(scan.cardnumber);
  if (known !== undefined) {
    const isReported = plugin && webhook !== null && webhook.off?.includes('copies') !== true;
    if (isReported && double.db.copies.markSeen(known.patron_id, double.realNowMs())) {
      void sendSeen(double, known.patron_id);
    }
    return 'known';
  }
  if (!plugin || webhook === null || webhook.off?.includes(scan.interface) === true) return 'off';
  if (!isCardShaped(scan.cardnumber, webhook.patterns)) return 'no_card';
  const sent = await sendEvent(double, scan);
  if (sent.kind !== 'accepted') return 'unsent';
  double.db.outcomes.note(sent.eventId, double.realNowMs(), scanKey(webhook.secret, scan.cardnumber));
  const limitMs = scan.interface === 'staff' ? webhook.staff_wait_ms : webhook.self_check_wait_ms;
  return waitAlone(double, sent.eventId, scan.cardnumber, limitMs);
}

async function waitAlone(double: Double, eventId: string, card: string, limitMs: number): Promise<FirstScan> {
  const { waiting } = double;
  if (waiting.isTaken) return 'busy';
  waiting.isTaken = true;
  try {
    const endsAtMs = double.realNowMs() + limitMs;
    for (;;) {
      const isDecided = double.db.outcomes.isDecided(eventId);
      if (isKnown(double, card)) return 'there';
      if (isDecided) return 'decided';
      const leftMs = endsAtMs - double.realNowMs();
      if (leftMs <= 0) return 'late';
      await sleep(Math.min(pauseMs, leftMs));
    }
  } finally {
    waiting.isTaken = false;
  }
}

function isKnown(double: Double, card: string): boolean {
  return double.db.patrons.withCard(card) !== undefined;
}
