import { problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { isRecord } from '../record.ts';
import { isCardShaped } from './card-shape.ts';
import { sendEvent, type Scan, type Sent } from './receiver.ts';
import { scanKey } from './scan-key.ts';

/** What the desk is answered when an event could not be sent, and whether trying again is of use (503). */
const faults = {
  not_configured: [503, 'The passport service is not set up here'],
  not_a_card: [422, 'This is not shaped like a card number'],
  not_found: [404, 'Nothing is known of this scan'],
  not_seen: [404, 'The passport service has not seen this scan'],
  not_kept: [404, 'The passport service does not know this scan any more'],
  no_question: [409, 'This scan does not wait for the answer'],
  receiver_unreachable: [503, 'The passport service cannot be reached'],
  receiver_busy: [503, 'The passport service is busy'],
  receiver_refused: [502, 'The passport service refuses this library'],
} as const;

/**
 * `POST /scans`: signs an event and sends it, unless the page comes of a scan that the hook has just reported: then that event is
 * followed. With `item_barcode` the service checks that item out itself.
 */
export async function answerScan(call: ApiCall): Promise<Answer> {
  const { double } = call;
  const { webhook } = double.settings;
  if (webhook === null || webhook.off?.includes('staff') === true) return fault('not_configured');
  const body = isRecord(call.body) ? call.body : {};
  const card = String(body['cardnumber']);
  if (!isCardShaped(card, webhook.patterns)) return fault('not_a_card');
  const { outcomes } = double.db;
  const item = typeof body['item_barcode'] === 'string' ? body['item_barcode'].trim() : '';
  const handed = item === '' ? outcomes.handOut(scanKey(webhook.secret, card), double.realNowMs()) : null;
  if (handed !== null) return taken(handed, { status: 'accepted', joined: true });
  const eventId = double.newId();
  const scan: Scan = {
    cardnumber: card,
    branch: call.actingLibrary,
    interface: 'staff',
    operator: call.user.patron_id,
    ...(item === '' ? {} : { itemBarcode: item }),
  };
  const sent = await sendEvent(double, scan, eventId);
  if (sent.kind !== 'accepted') return notTaken(sent, eventId);
  outcomes.note(sent.eventId, double.realNowMs());
  return taken(sent.eventId, sent.answer);
}

function taken(eventId: string, answer: Readonly<Record<string, unknown>>): Answer {
  const { status, duplicate, joined: isCoalesced } = answer;
  return {
    status: 202,
    body: {
      event_id: eventId,
      status,
      ...(duplicate === true ? { duplicate } : {}),
      ...(isCoalesced === true ? { joined: true } : {}),
    },
  };
}

/** `eventId` is named where the event may have been taken all the same, so that whoever cancels can name it (the plugin's `Route.pm`). */
export function notTaken(sent: Exclude<Sent, { kind: 'accepted' }>, eventId?: string): Answer {
  const named = eventId === undefined ? {} : { event_id: eventId };
  if (sent.kind === 'unreachable') return fault('receiver_unreachable', null, named);
  const { status, retryAfter } = sent;
  if (status === 422) return fault('not_a_card');
  if (status === 429) return fault('receiver_busy', retryAfter);
  if (status === 503) return fault('receiver_busy', retryAfter, named);
  return status >= 500 ? fault('receiver_unreachable', null, named) : fault('receiver_refused');
}

export function fault(
  code: keyof typeof faults,
  retryAfter: string | null = null,
  more: object = {},
): Answer {
  const [status, error] = faults[code];
  const answer = problem(status, error, { ...more, error_code: code });
  return retryAfter === null ? answer : { ...answer, headers: { 'Retry-After': retryAfter } };
}
