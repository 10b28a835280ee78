import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

/** Two desks decide at once, and the worker that goes on dies: at another moment each time. */
const TRIES = 9;
let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: threeLibraries,
    receivers: 2,
    workers: 2,
    keys: { defaults: { retry: { checkout_within: '5m', give_up_after: '10m' } } },
  });
}, 60_000);
afterAll(() => consortium?.stop());

test('of two decisions one is carried out, once, whenever a worker dies', async () => {
  const { doubles, services } = consortium;
  const copied = [];
  for (let n = 0; n < TRIES; n += 1) {
    const card = registerPatron(doubles.midland);
    const other = { surname: 'Other', category_id: 'AD', library_id: 'MAIN', expiry_date: '2037-12-31' };
    doubles.lakeside.putPatron(card, other);
    const book = shelveBook(doubles.riverside);
    const [one, two] = [consortium.at('riverside', 0), consortium.at('riverside', 1)];
    const scan = { cardnumber: card, item_barcode: book, decides: ['HOME_CHOICE'] };
    const { eventId } = await one.scan(scan);
    await one.follow(eventId, { until: ({ asks }) => asks?.question === 'HOME_CHOICE' });
    const choose = (desk: typeof one, option: string) =>
      desk.decide(eventId, { question: 'HOME_CHOICE', option });
    const said = await Promise.all([choose(one, 'midland'), choose(two, 'lakeside')]);
    expect(new Set(said)).toEqual(new Set([200, 409]));
    const looks = doubles.riverside.calls().length;
    const isKilled = n % 3 !== 0;
    if (isKilled) {
      // before they have looked, or somewhere on the way of whichever has it
      if (n % 3 === 2)
        await waitFor('a call', () => doubles.riverside.calls().length > looks, { timeoutMs: 20_000 });
      await Promise.all(services.workers.map((worker) => worker.kill('SIGKILL')));
      await Promise.all(services.workers.map((worker) => worker.restart()));
    }
    const end = await two.follow(eventId, { timeoutMs: 90_000 });
    const home = said[0] === 200 ? 'midland' : 'lakeside';
    expect(end).toMatchObject({ state: 'done', homes: [{ id: home }] });
    // Whoever died after Koha's answer has left a checkout, which the next one finds.
    const results = isKilled ? ['CHECKED_OUT', 'ALREADY_CHECKED_OUT'] : ['CHECKED_OUT'];
    expect(results).toContain(end.checkout?.result);
    expect(['COPIED', 'ALREADY_LOCAL']).toContain(end.outcome);
    const { patrons, checkouts } = doubles.riverside.state(card);
    expect([patrons.length, checkouts.length]).toEqual([1, 1]);
    expect(patrons[0]?.surname === 'Other').toBe(home === 'lakeside');
    copied.push({ eventId, home });
  }
  const { out } = await runPassport(['copies', 'export', '--at', 'riverside', '--json'], {
    env: services.env,
  });
  const { receipts } = JSON.parse(out) as { receipts: { event: string; home: string }[] };
  const homesOf = (id: string) => receipts.filter(({ event }) => event === id).map(({ home }) => home);
  expect(copied.map(({ eventId }) => homesOf(eventId))).toEqual(copied.map(({ home }) => [home]));
}, 300_000);
