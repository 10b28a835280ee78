import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { buildScanEvent, signedRequest, waitFor } from '@passport/testkit';
import { watchCalls } from '../harness/koha-calls.ts';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  consortium = await startConsortium({ libraries: threeLibraries });
}, 60_000);
afterAll(() => consortium?.stop());

const scanAt = async (library: keyof typeof threeLibraries, data: Readonly<Record<string, unknown>>) => {
  const desk = consortium.at(library);
  const answer = await desk.scan({ item_barcode: null, ...data });
  expect(answer.status).toBe(202);
  return desk.follow(answer.eventId);
};

describe('a card of midland at the desk of lakeside', () => {
  test('is copied with the passport, the item checked out, and Koha notified, in three calls one after the other', async () => {
    const { midland, lakeside, riverside } = consortium.doubles;
    const card = registerPatron(midland);
    const book = shelveBook(lakeside);
    const calls = watchCalls(midland, riverside, lakeside);
    const state = await scanAt('lakeside', { cardnumber: card, item_barcode: book });
    const copy = lakeside.state(card).patrons[0];
    expect(state).toMatchObject({
      library: 'lakeside',
      state: 'done',
      outcome: 'COPIED',
      reasons: [],
      homes: [{ id: 'midland', name: 'midland library' }],
      patron_id: copy?.patron_id,
      checkout: { result: 'CHECKED_OUT', keys: [] },
      waiting_for: null,
      problem: null,
      attempt: 1,
      message: 'Found at midland library. You can check out now.',
    });
    expect(lakeside.state(card).checkouts).toMatchObject([{ external_id: book, library_id: 'MAIN' }]);
    expect(calls()).toEqual(['midland GET /patrons', 'lakeside POST /patrons', 'lakeside POST /checkouts']);
    const report = await waitFor('Koha to have the report', () =>
      lakeside
        .state()
        .outcomes.find(({ event_id: id, state: reported }) => id === state.event_id && reported === 'done'),
    );
    expect(report).toMatchObject({
      seq: state.seq,
      state: 'done',
      outcome: 'COPIED',
      message: state.message,
    });
  });

  test('without an item is copied in two calls, and nothing is checked out', async () => {
    const { midland, lakeside } = consortium.doubles;
    const card = registerPatron(midland);
    const calls = watchCalls(midland, lakeside);
    const state = await scanAt('lakeside', { cardnumber: card });
    expect(state).toMatchObject({ outcome: 'COPIED', checkout: { result: 'NOT_ASKED', keys: [] } });
    expect(calls()).toEqual(['midland GET /patrons', 'lakeside POST /patrons']);
    expect(lakeside.state(card).checkouts).toEqual([]);
  });

  test('T-01 T-02 becomes a copy of the decided category at the branch of the scan, with what lending needs and no more', async () => {
    const { midland, lakeside } = consortium.doubles;
    const card = registerPatron(midland, {
      columns: {
        userid: 'agnieszka',
        password: '$2a$08$plantedplantedplantedplanted',
        secret: 'PLANTEDTOTP',
        staff_notes: 'a note of the staff',
        opac_notes: 'a note for the public',
        statistics_1: 'planted one',
        statistics_2: 'planted two',
        flags: 1,
        gender: 'F',
        altaddress_city: 'Elsewhere',
        relationship_type: 'parent',
        overdrive_auth_token: 'planted token',
        a_column_of_2031: 'planted',
        extended_attributes: [{ type: 'SHOE', value: '42' }],
      },
    });
    const home = midland.state(card).patrons[0];
    await scanAt('lakeside', { cardnumber: card, branch: 'NORTH' });
    const copy = lakeside.state(card).patrons[0];
    expect(copy).toMatchObject({
      cardnumber: card,
      category_id: 'PT',
      library_id: 'NORTH',
      expiry_date: '2037-12-31',
      ...Object.fromEntries(
        ['surname', 'firstname', 'email', 'phone', 'address', 'city', 'postal_code', 'country'].map(
          (name) => [name, home?.[name]],
        ),
      ),
      date_of_birth: '1980-02-29',
      restricted: false,
      permissions: [],
    });
    const uncopied = [
      'staff_notes',
      'opac_notes',
      'statistics_1',
      'statistics_2',
      'gender',
      'altaddress_city',
    ];
    expect(uncopied.filter((name) => !isEmpty(copy?.[name]))).toEqual([]);
    const attributes = copy?.extended_attributes.map(({ type, value }) => ({ type, value }));
    expect(attributes).toEqual([
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: `midland:${home?.patron_id}` },
    ]);
    // Its time can have any number.
    expect(JSON.stringify({ ...copy, updated_on: null })).not.toMatch(/planted|agnieszka"|a note|\b42\b/);
    expect(copy?.['password']).toBe('!'); // what Koha keeps for a patron without a password
    expect(lakeside.state().mails).toBe(0);
  });
});

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

describe('what is reported to the desk', () => {
  test('a patron who is here by now is ALREADY_LOCAL, and still gets the book', async () => {
    const { midland, riverside } = consortium.doubles;
    const card = registerPatron(midland);
    await scanAt('riverside', { cardnumber: card });
    const book = shelveBook(riverside);
    const again = await scanAt('riverside', { cardnumber: card, item_barcode: book });
    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL', checkout: { result: 'CHECKED_OUT' } });
    expect(riverside.state(card).patrons).toHaveLength(1);
    expect(riverside.state(card).checkouts).toMatchObject([{ external_id: book }]);
  });

  test('a card that nobody has is NOT_FOUND, after every library that may have it was queried once', async () => {
    const { midland, lakeside, riverside } = consortium.doubles;
    const calls = watchCalls(midland, lakeside, riverside);
    const state = await scanAt('riverside', { cardnumber: '21234777777777' });
    expect(state).toMatchObject({
      state: 'done',
      outcome: 'NOT_FOUND',
      homes: [],
      patron_id: null,
      message: 'No partner library knows this card.',
    });
    expect([...calls()].sort()).toEqual(['lakeside GET /patrons', 'midland GET /patrons']);
  });

  test('T-04 what fits no library is NOT_A_CARD, and nobody was queried', async () => {
    const calls = watchCalls(...Object.values(consortium.doubles));
    for (const cardnumber of ['Patronsson', '39999000012345', '1']) {
      expect(await scanAt('lakeside', { cardnumber })).toMatchObject({
        state: 'done',
        outcome: 'NOT_A_CARD',
      });
    }
    expect(calls()).toEqual([]);
  });

  test('T-05 a scan at a self-check machine is worked like any other', async () => {
    const { midland, riverside } = consortium.doubles;
    const card = registerPatron(midland);
    const state = await scanAt('riverside', { cardnumber: card, interface: 'self_check', operator: null });
    expect(state.outcome).toBe('COPIED');
    expect(riverside.state(card).patrons).toHaveLength(1);
  });

  test('T-10 a card of two libraries is AMBIGUOUS_HOME with both named, and nothing is written', async () => {
    const { midland, lakeside, riverside } = consortium.doubles;
    const card = registerPatron(midland);
    lakeside.putPatron(card, { surname: 'Somebody', firstname: 'Else', category_id: 'AD' });
    const state = await scanAt('riverside', { cardnumber: card });
    expect(state.outcome).toBe('AMBIGUOUS_HOME');
    expect(state.homes.map(({ id }) => id).sort()).toEqual(['lakeside', 'midland']);
    expect(riverside.state(card).patrons).toEqual([]);
  });

  test('T-12 an expired patron is NOT_ELIGIBLE with the reason, and nothing is written', async () => {
    const { midland, riverside } = consortium.doubles;
    const card = registerPatron(midland, { columns: { expiry_date: '2020-01-31' } });
    const state = await scanAt('riverside', { cardnumber: card });
    expect(state).toMatchObject({ state: 'done', outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED'] });
    expect(riverside.state(card).patrons).toEqual([]);
  });

  test('T-33 a copy at another library is no home, not even when the true home is silent about it', async () => {
    const { midland, lakeside } = consortium.doubles;
    const card = registerPatron(midland);
    await scanAt('lakeside', { cardnumber: card });
    midland.deletePatron(card);
    expect(lakeside.state(card).patrons).toHaveLength(1);
    expect(await scanAt('riverside', { cardnumber: card })).toMatchObject({ outcome: 'NOT_FOUND' });
  });
});

describe('an event on its way', () => {
  test('signed by the standardwebhooks library is accepted', async () => {
    const card = registerPatron(consortium.doubles.midland);
    const id = 'msg_from_the_library';
    const body = JSON.stringify(buildScanEvent({ cardnumber: card, item_barcode: null }));
    const now = new Date();
    const signature = new Webhook(consortium.secrets.riverside).sign(id, now, body);
    const response = await fetch(`${consortium.services.receivers[0]?.url}/webhooks/riverside`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': signature,
      },
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ event_id: id, status: 'accepted' });
    expect(await consortium.at('riverside').follow(id)).toMatchObject({ outcome: 'COPIED' });
  });

  test('delivered again is a duplicate, and nothing happens twice', async () => {
    const { midland, riverside } = consortium.doubles;
    const card = registerPatron(midland);
    const book = shelveBook(riverside);
    const desk = consortium.at('riverside');
    const data = { cardnumber: card, item_barcode: book };
    const first = await desk.scan(data, { id: 'evt_twice', scannedAt: new Date().toISOString() });
    await desk.follow(first.eventId);
    const calls = watchCalls(midland, riverside);
    const changed = await desk.scan(data, { id: 'evt_twice', scannedAt: '2026-01-01T00:00:00.000+00:00' });
    expect(changed.status).toBe(409);
    const scannedAt = (await desk.state('evt_twice'))?.scanned_at ?? '';
    const again = await desk.scan(data, { id: 'evt_twice', scannedAt });
    expect(again).toMatchObject({ status: 202, body: { event_id: 'evt_twice', duplicate: true } });
    expect(await desk.follow('evt_twice')).toMatchObject({ outcome: 'COPIED', attempt: 1 });
    expect(calls()).toEqual([]);
  });

  test('that is a second scan of the same card and item is coalesced with the first, and both ids return its state', async () => {
    const { midland, riverside } = consortium.doubles;
    midland.addFaults([{ operation: 'GET /patrons', kind: 'delay', ms: 500, times: 1 }]);
    const card = registerPatron(midland);
    const desk = consortium.at('riverside');
    const data = { cardnumber: card, item_barcode: shelveBook(riverside) };
    const first = await desk.scan(data);
    const second = await desk.scan(data);
    expect(second).toMatchObject({ status: 202, body: { event_id: first.id, joined: true } });
    const end = await desk.follow(first.id);
    expect(end).toMatchObject({ event_id: first.id, outcome: 'COPIED' });
    expect(await desk.state(second.id)).toEqual(end);
    expect(riverside.state(card).checkouts).toHaveLength(1);
  });

  test('of type passport.test is answered and never queued', async () => {
    const desk = consortium.at('riverside');
    const request = signedRequest({
      secret: consortium.secrets.riverside,
      body: JSON.stringify({ type: 'passport.test', timestamp: new Date().toISOString(), data: {} }),
    });
    expect(await desk.deliver(request)).toMatchObject({ status: 202, body: { test: true } });
    expect(await desk.state(request.id)).toBeNull();
  });
});
