import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  const lakeside = {
    ...threeLibraries.lakeside,
    entry: { copy: { mode: 'observe', on_look_alike: 'stop' } },
  };
  consortium = await startConsortium({ libraries: { ...threeLibraries, lakeside } });
}, 60_000);
afterAll(() => consortium?.stop());

const passport = async (...args: string[]): Promise<unknown> => {
  const { code, out, err } = await runPassport([...args, '--json'], { env: consortium.services.env });
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out);
};

test('a library that observes hears what would have been done, and its Koha is not written to', async () => {
  const { midland, lakeside } = consortium.doubles;
  const card = registerPatron(midland);
  const desk = consortium.at('lakeside');
  const { eventId } = await desk.scan({ cardnumber: card, item_barcode: shelveBook(lakeside) });

  const state = await desk.follow(eventId);
  expect(state).toMatchObject({
    outcome: 'OBSERVED',
    observed: { category: 'PT' },
    homes: [{ id: 'midland', name: 'midland library' }],
    patron_id: null,
    checkout: { result: 'NOT_ASKED' },
  });
  expect(lakeside.state(card)).toMatchObject({ patrons: [], checkouts: [] });
  const reported = await waitFor('the report to the plugin', () =>
    lakeside.state().outcomes.find(({ event_id: id, state: word }) => id === eventId && word === 'done'),
  );
  expect(reported).toMatchObject({ observed: { category: 'PT' }, message: state.message });
  const written = lakeside.calls().filter(({ method }) => method !== 'GET');
  expect(new Set(written.map(({ operation }) => operation))).toEqual(
    new Set(['POST /oauth/token', 'PUT /contrib/passport/scans/{event_id}/outcome']),
  );
  expect(await passport('copies', 'export', '--at', 'lakeside')).toEqual({
    receipts: [
      expect.objectContaining({
        event: eventId,
        what: 'observed',
        fields: ['surname', 'firstname', 'date_of_birth'],
        read: expect.arrayContaining(['surname', 'address', 'email']),
      }),
    ],
  });
  expect(await passport('stats', '--at', 'lakeside')).toMatchObject({
    rows: [{ scans: 1, copies: 0, refusals: 0, failures: 0, observed: 1 }],
  });
});
