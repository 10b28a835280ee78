import type { KohaClient } from '@passport/koha-client';

/** The calls of one event through our client: look-up, copy, checkout, report. Throws where one does not succeed. */
export async function runEvent(
  { atHome, atLending }: { readonly atHome: KohaClient; readonly atLending: KohaClient },
  event: { readonly card: string; readonly barcode: string; readonly eventId: string },
): Promise<void> {
  const [patron] = await atHome.findByCard(event.card, { attributes: true, balance: false });
  if (patron === undefined) throw new Error('the home library does not have the card');
  const copy = await atLending.createPatron(
    {
      cardnumber: event.card,
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
  await atLending.checkOut({ patronId: copy.patronId, barcode: event.barcode }, { branch: 'MAIN' });
  await atLending.reportOutcome(event.eventId, {
    event_id: event.eventId,
    library: atLending.library,
    seq: 1,
    state: 'done',
    outcome: 'COPIED',
  });
}
