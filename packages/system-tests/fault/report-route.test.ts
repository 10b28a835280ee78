import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { untilAllReported } from './kept-promises.ts';

type Ids = 'midland' | 'alder' | 'birch' | 'cedar' | 'dogwood';

const REPORT = 'PUT /contrib/passport/scans/{event_id}/outcome';
/** What stands in front of a Koha that restarts, and a Koha without its plugin, say of the plugin's route. */
const ANSWERS = {
  alder: { status: 404, body: { error: 'Not found.' } },
  birch: { status: 403, body: { error: 'Forbidden', error_code: 'forbidden' } },
  cedar: { status: 405, body: { error: 'Method not allowed' } },
  dogwood: { status: 302, headers: { location: 'https://login.example/' } },
} as const;
type LendingId = keyof typeof ANSWERS;
const LENDING = Object.keys(ANSWERS) as LendingId[];

const EVENTS_EACH = 10;
const AWAY_MS = 3_000;
/** From the route's return to the last desk. */
const NOTIFIED_WITHIN_MS = 15_000;

let consortium: Consortium<Ids>;
beforeAll(async () => {
  consortium = await startConsortium<Ids>({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      ...Object.fromEntries(LENDING.map((id) => [id, { cards: [`^${id}$`] }])),
    } as Record<Ids, object>,
  });
}, 60_000);
afterAll(() => consortium?.stop());

test('a desk gets its report within seconds of the return of its route, whatever the route answered meanwhile', async () => {
  for (const id of LENDING) {
    consortium.doubles[id].addFaults([{ operation: REPORT, kind: 'status', times: 100_000, ...ANSWERS[id] }]);
  }
  const awayAt = performance.now();
  const events = await Promise.all(
    LENDING.flatMap((lending) =>
      Array.from({ length: EVENTS_EACH }, async () => {
        const cardnumber = registerPatron(consortium.doubles.midland);
        const { eventId } = await consortium.at(lending).scan({ cardnumber, item_barcode: null });
        return { lending, eventId };
      }),
    ),
  );
  await Promise.all(events.map(({ lending, eventId }) => consortium.at(lending).follow(eventId)));
  await waitFor('the route to have been away', () => performance.now() - awayAt >= AWAY_MS);
  for (const id of LENDING) consortium.doubles[id].clearFaults();
  const backAt = performance.now();

  await Promise.all(
    LENDING.map((id) =>
      untilAllReported(
        consortium.doubles[id],
        events.filter(({ lending }) => lending === id),
        NOTIFIED_WITHIN_MS,
      ),
    ),
  );
  const tookMs = Math.round(performance.now() - backAt);
  expect(tookMs).toBeLessThan(NOTIFIED_WITHIN_MS);
  process.stderr.write(
    `a report's route answers 404, 403, 405 and 302 for ${AWAY_MS} ms: ${events.length} of ${events.length} desks notified ` +
      `${tookMs} ms after its return\n`,
  );
}, 60_000);
