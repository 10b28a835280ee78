import { createKohaClient, type KohaClient } from '@passport/koha-client';
import { barcodeOf, cardOf, type StartedKoha } from '../kohas-protocol.ts';

/** Whose calls to make, for how many events. */
export interface PeerPlan {
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly from: number;
  readonly events: number;
}

/** One event of a peer: a card at home, and an item. */
export interface PeerEvent {
  readonly card: string;
  readonly barcode: string;
  readonly eventId: string;
}

export const eventOf = (plan: PeerPlan, index: number, name: string): PeerEvent => ({
  card: cardOf(plan.home.prefix, index),
  barcode: barcodeOf(index),
  eventId: `${name}-${index}`,
});

export const clientOf = (
  { maxInFlight }: PeerPlan,
  { id, url, clientId, clientSecret }: StartedKoha,
): KohaClient =>
  createKohaClient({
    library: id,
    url,
    clientId,
    clientSecret,
    timeoutMs: 10_000,
    maxInFlight,
    now: () => Date.now(),
  });

/** The calls of one event through our client: look-up, copy, checkout, report. Throws where one does not succeed. */
export async function runEvent(
  atHome: KohaClient,
  atLending: KohaClient,
  { card, barcode, eventId }: PeerEvent,
): Promise<void> {
  const [patron] = await atHome.findByCard(card, { attributes: true, balance: false });
  if (patron === undefined) throw new Error('the home library does not have the card');
  const copy = await atLending.createPatron(
    {
      cardnumber: card,
      surname: patron.surname,
      firstname: patron.firstname,
      ...patron.fields,
      date_of_birth: patron.dateOfBirth,
      library_id: 'MAIN',
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: atHome.library },
        { type: 'PASSPORTED_ID', value: `${atHome.library}:${patron.patronId}` },
      ],
    },
    { branch: 'MAIN', confirmNotDuplicate: false },
  );
  if (copy.kind !== 'created') throw new Error(`the copy was answered with ${copy.kind}`);
  await atLending.checkOut({ patronId: copy.patronId, barcode }, { branch: 'MAIN' });
  const { library } = atLending;
  await atLending.reportOutcome(eventId, {
    event_id: eventId,
    library,
    seq: 1,
    state: 'done',
    outcome: 'COPIED',
  });
}
