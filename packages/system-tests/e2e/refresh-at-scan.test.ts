import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REMEMBERED_SOON, signedRequest, waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

const refresh = { at_scan: true, restricted: 'apply' };

let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  const libraries = { ...threeLibraries, lakeside: { ...threeLibraries.lakeside, entry: { refresh } } };
  consortium = await startConsortium({ libraries, env: REMEMBERED_SOON });
}, 60_000);
afterAll(() => consortium?.stop());

async function seen(library: keyof typeof threeLibraries, patronId: unknown): Promise<unknown> {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: 'patron.seen', timestamp, data: { patron_id: patronId } });
  const request = signedRequest({ secret: consortium.secrets[library], id: `seen_${library}`, body });
  const { url } = consortium.services.receivers[0] ?? { url: '' };
  return (await fetch(`${url}/webhooks/${library}`, request)).json();
}

test('T-26 T-28 a copy that is scanned again gets what changed at home, and is restricted with home', async () => {
  const { midland, lakeside } = consortium.doubles;
  const card = registerPatron(midland);
  const desk = consortium.at('lakeside');
  const { eventId } = await desk.scan({ cardnumber: card, item_barcode: null });
  expect(await desk.follow(eventId)).toMatchObject({ outcome: 'COPIED' });
  const copy = () => lakeside.state(card).patrons[0];
  const patronId = copy()?.patron_id;
  await waitFor(
    'what was written to be remembered',
    () => lakeside.state().copies.some((row) => row.patron_id === patronId) || undefined,
  );

  midland.putPatron(card, { city: 'Elsewhere', restricted: true });
  expect(await seen('lakeside', patronId)).toEqual({ event_id: 'seen_lakeside', status: 'accepted' });
  await waitFor('the copy to follow', () => copy()?.['restricted'] === true || undefined);
  expect(copy()).toMatchObject({ city: 'Elsewhere', library_id: 'MAIN' });
  expect(await seen('riverside', 1)).toMatchObject({ ignored: true });
}, 60_000);
