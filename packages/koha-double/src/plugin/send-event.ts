import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import { signEvent } from './sign-event.ts';

/** A scanned card that this Koha does not know. */
export interface Scan {
  readonly cardnumber: string;
  readonly branch: string;
  readonly interface: 'staff' | 'self_check';
  readonly operator: number | null;
  /** Only when the service is to lend it; a page that goes on with the checkout itself never sends it. */
  readonly itemBarcode?: string;
}

/** What became of an event: the receiver's answer, or none in time. */
export type Sent =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: unknown;
      readonly eventId: string | null;
    }
  | { readonly kind: 'unreachable' };

/** Connecting and answering together: after this a page goes on without us. */
export const sendTimeoutMs = 500;

/** Signs and sends one `patron.not_found`. Never throws: a receiver that fails is `unreachable`. */
export async function sendEvent(double: Double, scan: Scan): Promise<Sent> {
  const { webhook } = double.settings;
  if (webhook === null) return { kind: 'unreachable' };
  const nowMs = double.clock.nowMs();
  const event = {
    type: 'patron.not_found',
    timestamp: new Date(nowMs).toISOString().replace('Z', '+00:00'),
    data: {
      cardnumber: scan.cardnumber,
      branch: scan.branch,
      interface: scan.interface,
      operator: scan.operator,
      ...(scan.itemBarcode === undefined ? {} : { item_barcode: scan.itemBarcode }),
    },
  };
  const signed = signEvent(webhook.secret, double.newId(), Math.floor(nowMs / 1000), JSON.stringify(event));
  try {
    const url = `${webhook.receiver_url.replace(/\/+$/, '')}/webhooks/${encodeURIComponent(webhook.library)}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: signed.headers,
      body: signed.body,
      signal: AbortSignal.timeout(sendTimeoutMs),
    });
    const body: unknown = await response.json().catch(() => null);
    return { kind: 'answered', status: response.status, body, eventId: eventIdOf(body) };
  } catch {
    return { kind: 'unreachable' };
  }
}

function eventIdOf(body: unknown): string | null {
  return isRecord(body) && typeof body['event_id'] === 'string' ? body['event_id'] : null;
}
