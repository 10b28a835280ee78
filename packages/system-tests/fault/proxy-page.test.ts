import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const PAGE = '<!doctype html><html><head><title>Please log in</title></head><body></body></html>';
const html = { 'content-type': 'text/html' };
/** What a portal, a proxy or a starting server says in a Koha's place, to every call, for a token too. */
const PAGES = {
  alder: { status: 302, headers: { location: 'https://login.example/' } },
  birch: { status: 401, headers: html, body: PAGE },
  cedar: { status: 403, headers: html, body: PAGE },
  dogwood: { status: 404, headers: html, body: PAGE },
} as const;
type Home = keyof typeof PAGES;
const HOMES = Object.keys(PAGES) as Home[];
const PREFIXES = { alder: '21001', birch: '21002', cedar: '21003', dogwood: '21004' } as const;

const EVENTS_EACH = 5;
const AWAY_MS = 3_000;

let consortium: Consortium<'midland' | Home>;
beforeAll(async () => {
  consortium = await startConsortium<'midland' | Home>({
    libraries: {
      midland: { cards: ['^21234\\d{9}$'] },
      ...Object.fromEntries(HOMES.map((id) => [id, { cards: [`^${PREFIXES[id]}\\d{9}$`] }])),
    } as Record<'midland' | Home, object>,
  });
}, 60_000);
afterAll(() => consortium?.stop());

const pages = (id: Home): FaultDraft[] => [{ operation: '*', kind: 'status', times: 100_000, ...PAGES[id] }];

async function untilBack(libraries: readonly ('midland' | Home)[], sinceMs: number): Promise<void> {
  await waitFor('the pages to have been shown', () => performance.now() - sinceMs >= AWAY_MS, {
    timeoutMs: 2 * AWAY_MS,
  });
  for (const id of libraries) consortium.doubles[id].clearFaults();
}

test('no scan ends as misconfigured because a home shows a page for three seconds, whatever its status', async () => {
  const cards = HOMES.flatMap((id) =>
    Array.from({ length: EVENTS_EACH }, () =>
      registerPatron(consortium.doubles[id], { prefix: PREFIXES[id] }),
    ),
  );
  for (const id of HOMES) consortium.doubles[id].addFaults(pages(id));
  const awayAt = performance.now();
  const events = await Promise.all(
    cards.map((cardnumber) => consortium.at('midland').scan({ cardnumber, item_barcode: null })),
  );
  await untilBack(HOMES, awayAt);
  const states = await Promise.all(events.map(({ eventId }) => consortium.at('midland').follow(eventId)));
  expect(states.map(({ outcome }) => outcome)).toEqual(cards.map(() => 'COPIED'));
}, 60_000);

test.each(HOMES)(
  'no scan ends as misconfigured because its own Koha shows a page for three seconds: as %s',
  async (like) => {
    const cards = Array.from({ length: EVENTS_EACH }, () =>
      registerPatron(consortium.doubles.alder, { prefix: PREFIXES.alder }),
    );
    consortium.doubles.midland.addFaults(pages(like));
    const awayAt = performance.now();
    const events = await Promise.all(
      cards.map((cardnumber) => consortium.at('midland').scan({ cardnumber, item_barcode: null })),
    );
    await untilBack(['midland'], awayAt);
    const states = await Promise.all(events.map(({ eventId }) => consortium.at('midland').follow(eventId)));
    expect(states.map(({ outcome }) => outcome)).toEqual(cards.map(() => 'COPIED'));
  },
  60_000,
);
