import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'midland' | 'riverside';

/** The longest pause for a library, whatever it requests. */
const LONGEST_WAIT_MS = 60_000;

let consortium: Consortium<Ids>;
beforeAll(async () => {
  consortium = await startConsortium<Ids>({
    libraries: { midland: { reports: false, cards: ['^21234\\d{9}$'] }, riverside: { cards: ['^none$'] } },
  });
}, 60_000);
afterAll(() => consortium?.stop());

test('a library that requests an hour of patience is queried again after a minute, by the job that heard it, too', async () => {
  const { midland } = consortium.doubles;
  midland.addFaults([
    { operation: 'GET /patrons', kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
  ]);
  const waits: number[] = [];
  for (let n = 0; n < 2; n += 1) {
    const cardnumber = registerPatron(midland);
    const { eventId } = await consortium.at('riverside').scan({ cardnumber, item_barcode: null });
    const state = await consortium.at('riverside').follow(eventId, {
      until: ({ waiting_for: wait }) => wait?.reason === 'RATE_LIMITED',
    });
    waits.push(Date.parse(state.waiting_for?.next_try_at ?? '') - Date.parse(state.updated_at));
  }
  process.stderr.write(
    `retry-after: 3600: the job that heard it waits ${waits[0]} ms, the next one ${waits[1]} ms\n`,
  );

  expect(Math.max(...waits)).toBeLessThanOrEqual(LONGEST_WAIT_MS + 1);
  expect(Math.min(...waits)).toBeGreaterThan(LONGEST_WAIT_MS - 10_000);
}, 30_000);
