import { createKohaClient, type KohaClient } from '@passport/koha-client';
import { barcodeOf, cardOf, type StartedKoha } from '../kohas-protocol.ts';

/** A home library whose patron comes to the lending library. */
export interface PeerPair {
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
}

/** Whose calls to make, for how many events, which come to each pair in turn. */
export interface PeerPlan {
  readonly pairs: readonly PeerPair[];
  readonly concurrency: number;
  readonly maxInFlight: number;
  /** The first card and item of each pair. */
  readonly from: number;
  readonly events: number;
}

/** One event of a peer: a card at home, and an item. */
export interface PeerEvent {
  /** Its place among the pairs of the plan. */
  readonly pair: number;
  readonly card: string;
  readonly barcode: string;
  readonly eventId: string;
}

/** The n-th event of a plan. */
export function eventOf({ pairs, from }: PeerPlan, place: number, name: string): PeerEvent {
  const pair = place % pairs.length;
  const index = from + Math.floor(place / pairs.length);
  const prefix = pairs[pair]?.home.prefix ?? '';
  return {
    pair,
    card: cardOf(prefix, index),
    barcode: barcodeOf(index),
    eventId: `${name}-${prefix}-${index}`,
  };
}

/** Both clients of each pair, by its place. */
export const clientsOf = (plan: PeerPlan): readonly (readonly [home: KohaClient, lending: KohaClient])[] =>
  plan.pairs.map(({ home, lending }) => [clientOf(plan, home), clientOf(plan, lending)]);

const clientOf = ({ maxInFlight }: PeerPlan, { id, url, clientId, clientSecret }: StartedKoha): KohaClient =>
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
