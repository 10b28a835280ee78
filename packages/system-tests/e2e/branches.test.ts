import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { servicePermissions } from '@passport/koha-double';
import { registerPatron } from '../harness/people.ts';
import { startConsortium } from '../harness/start-consortium.ts';
import type { Consortium } from '../harness/start-consortium.ts';

/** The home's API user belongs to MAIN; most of its patrons do not. */
const BRANCHES = ['MAIN', 'NORTH', 'HARBOUR'];
const SEE_ALL = 'borrowers:view_borrower_infos_from_any_libraries';

let consortium: Consortium<'home' | 'lending'>;
beforeAll(async () => {
  consortium = await startConsortium({ libraries: { home: {}, lending: {} } });
  consortium.doubles.home.putSettings({ libraries: BRANCHES.map((library_id) => ({ library_id })) });
}, 60_000);
afterAll(() => consortium?.stop());

const outcomesOf = async (permissions: readonly string[]): Promise<unknown[]> => {
  const { home } = consortium.doubles;
  home.putSettings({ permissions });
  const desk = consortium.at('lending');
  const cards = BRANCHES.map((library_id) => registerPatron(home, { columns: { library_id } }));
  return Promise.all(
    cards.map(async (cardnumber) => {
      const { eventId } = await desk.scan({ cardnumber, item_barcode: null });
      return (await desk.follow(eventId)).outcome;
    }),
  );
};

test('patrons of every branch of a home are found by a user who may see them', async () => {
  expect(await outcomesOf([SEE_ALL, 'borrowers:list_borrowers'])).toEqual(['COPIED', 'COPIED', 'COPIED']);
});

test('a user who may not finds those of the own branch only', async () => {
  expect(await outcomesOf(['borrowers:list_borrowers'])).toEqual(['COPIED', 'NOT_FOUND', 'NOT_FOUND']);
  expect(await outcomesOf(servicePermissions)).toEqual(['COPIED', 'COPIED', 'COPIED']);
});
