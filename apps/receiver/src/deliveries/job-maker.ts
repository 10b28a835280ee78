import {
  type JobData,
  type PatronNotFound,
  ageAtDeliveryMs,
  foldCard,
  queuedProgress,
  encryptionContext,
} from '@passport/contract';
import type { Encryption } from '@passport/runtime';

/** Makes of an event what may leave this process: encrypted, or as a keyed hash. */
export interface JobMaker {
  bodyHashes(text: string): readonly string[];
  hashesOf(
    library: string,
    text: string,
    event: PatronNotFound,
  ): { readonly bodyHashes: readonly string[]; readonly scanHash: string };
  /** `deliveredAt` is the delivery's own timestamp (Unix seconds), `receivedMs` Redis's time when it came. */
  jobOf(
    library: string,
    eventId: string,
    event: PatronNotFound,
    at: {
      readonly deliveredAt: number;
      readonly receivedMs: number;
      /** W3C trace context of the delivery, when traced. */
      readonly traceparent?: string | undefined;
    },
  ): JobData;
}

/** Whoever cancels at one desk cancels nothing of another. */
const deskMark = ({ desk }: PatronNotFound): readonly string[] => (desk === null ? [] : [`desk ${desk}`]);

/** No scan may join the event of a test card: nothing is written for that one. */
const testMark = ({ interface: from }: PatronNotFound): readonly string[] =>
  from === 'test' ? ['test'] : [];

/** A job maker that encrypts and hashes with `encryption`. */
export function buildJobMaker(encryption: Encryption): JobMaker {
  const bodyHashes = (text: string): readonly string[] => encryption.hashes('body', text);
  return {
    bodyHashes,
    hashesOf: (library, text, event) => ({
      bodyHashes: bodyHashes(text),
      scanHash: encryption.hash(
        'scan',
        [
          library,
          foldCard(event.cardnumber),
          event.itemBarcode ?? '',
          ...testMark(event),
          ...deskMark(event),
        ].join('\n'),
      ),
    }),
    jobOf: (library, eventId, event, { deliveredAt, receivedMs, traceparent }) => ({
      v: 1,
      event_id: eventId,
      library,
      branch: event.branch,
      interface: event.interface,
      operator: event.operator,
      scanned_at: event.scannedAt,
      received_ms: receivedMs,
      age_at_delivery_ms: ageAtDeliveryMs(event.scannedAt, deliveredAt),
      encrypted_card: encryption.encrypt(event.cardnumber, encryptionContext(library, eventId, 'card')),
      encrypted_item:
        event.itemBarcode === null
          ? null
          : encryption.encrypt(event.itemBarcode, encryptionContext(library, eventId, 'item')),
      checkout_requested: event.itemBarcode !== null,
      card_hash: encryption.hash('card', foldCard(event.cardnumber)),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(event.decides.length === 0 ? {} : { decides: [...event.decides] }),
      retried: null,
      sent: null,
      made: null,
      progress: queuedProgress(new Date(receivedMs).toISOString()),
    }),
  };
}
