import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startFaultProxy, startProcess, waitFor, type FaultProxy } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const PASSPORT = fileURLToPath(new URL('../../../apps/cli/bin/passport.js', import.meta.url));
const CHECKOUT_WITHIN_MS = 2_000;
const retry = { checkout_within: '2s' };

let consortium: Consortium<'midland' | 'riverside' | 'lakeside'>;
const networks = new Map<string, FaultProxy>();
beforeAll(async () => {
  const reachedBy = (id: string) => async (port: number) => {
    const proxy = await startFaultProxy({ target: port });
    networks.set(id, proxy);
    return `http://127.0.0.1:${proxy.port}`;
  };
  consortium = await startConsortium({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'], reachedAt: reachedBy('midland') },
      riverside: { cards: ['^25678\\d{9}$'], entry: { retry }, reachedAt: reachedBy('riverside') },
      lakeside: { cards: ['^29012\\d{9}$'], entry: { retry: { ...retry, give_up_after: '3s' } } },
    },
    keys: { defaults: { koha: { timeout: '1s' } } },
  });
}, 60_000);
afterEach(async () => {
  for (const network of networks.values()) await network.setMode('pass');
  for (const double of Object.values(consortium?.doubles ?? {})) double.clearFaults();
});
afterAll(async () => {
  await consortium?.stop();
  for (const network of networks.values()) await network.close();
});

/** A scan of a new patron of midland for a book; `reported` waits for a report of it. */
async function scanAt(lending: 'riverside' | 'lakeside') {
  const { midland } = consortium.doubles;
  const koha = consortium.doubles[lending];
  const desk = consortium.at(lending);
  const card = registerPatron(midland);
  const scannedAt = performance.now();
  const { eventId, status } = await desk.scan({ cardnumber: card, item_barcode: shelveBook(koha) });
  expect(status).toBe(202);
  const report = () => koha.state().outcomes.find(({ event_id: id }) => id === eventId);
  return {
    eventId,
    card,
    follow: (...how: Parameters<typeof desk.follow> extends [string, ...infer Others] ? Others : never) =>
      desk.follow(eventId, ...how),
    untilTooLate: () =>
      waitFor(
        'the time for a checkout to have passed',
        () => performance.now() - scannedAt > CHECKOUT_WITHIN_MS,
      ),
    reported: (what: Readonly<Record<string, unknown>>) =>
      waitFor(
        `the report of ${JSON.stringify(what)}`,
        () => {
          const row = report();
          return row !== undefined && Object.entries(what).every(([key, value]) => row[key] === value) && row;
        },
        { timeoutMs: 15_000 },
      ),
    at: () => koha.state(card),
  };
}

/** A machine so busy that the answer to a create came too late has found the copy by looking. */
const FINISHED: unknown = expect.stringMatching(/^(COPIED|ALREADY_LOCAL)$/);
const MARKED = [{ type: 'PASSPORTED', value: 'midland' }, { type: 'PASSPORTED_ID' }];

test('T-35 T-16 the lending Koha is away for longer than a checkout may wait: the copy is made, the checkout is not, the desk is notified', async () => {
  await networks.get('riverside')?.setMode('refuse');
  const event = await scanAt('riverside');
  // Not the first reason: for a moment after a start, the receiver may not have seen the worker.
  const waiting = await event.follow({ until: ({ waiting_for: what }) => what?.reason === 'NO_ANSWER' });
  expect(waiting).toMatchObject({ state: 'waiting', waiting_for: { library: 'riverside' } });
  await event.untilTooLate();
  expect(event.at().patrons).toEqual([]);

  await networks.get('riverside')?.setMode('pass');

  expect(await event.reported({ state: 'done' })).toMatchObject({
    outcome: FINISHED,
    checkout: { result: 'TOO_LATE', keys: [] },
    homes: [{ id: 'midland' }],
  });
  const { patrons, checkouts } = event.at();
  expect(patrons).toMatchObject([{ cardnumber: event.card, extended_attributes: MARKED }]);
  expect(checkouts).toEqual([]);
});

test('T-35 only the checkout gets no answer until it is too late for it: it is not made, and not made later', async () => {
  const { riverside } = consortium.doubles;
  riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before', times: 1_000 }]);
  const event = await scanAt('riverside');
  const report = await event.reported({ state: 'done' });
  expect(report).toMatchObject({ outcome: FINISHED, checkout: { result: 'TOO_LATE', keys: [] } });

  riverside.clearFaults();
  const later = await scanAt('riverside');
  expect(await later.reported({ state: 'done' })).toMatchObject({ checkout: { result: 'CHECKED_OUT' } });
  expect(event.at()).toMatchObject({ patrons: [{ extended_attributes: MARKED }], checkouts: [] });
});

test('T-16 T-35 the home Koha stays away: HOME_UNREACHABLE names it, and a person who retries later gets the copy without the checkout', async () => {
  await networks.get('midland')?.setMode('refuse');
  const event = await scanAt('lakeside');
  await event.reported({ state: 'waiting' });
  expect(await event.reported({ state: 'failed' })).toMatchObject({
    outcome: 'HOME_UNREACHABLE',
    homes: [{ id: 'midland' }],
    message: 'midland library did not answer. Try again later, or register by hand.',
  });
  expect(event.at()).toMatchObject({ patrons: [], checkouts: [] });

  await networks.get('midland')?.setMode('pass');
  const retried = await startProcess({
    command: process.execPath,
    args: [PASSPORT, 'events', 'retry', `lakeside.${event.eventId}`],
    env: consortium.services.env,
  });
  expect(await retried.exited).toEqual({ code: 0, signal: null });

  expect(await event.reported({ state: 'done' })).toMatchObject({
    outcome: FINISHED,
    checkout: { result: 'TOO_LATE', keys: [] },
  });
  expect(await event.follow()).toMatchObject({ state: 'done', outcome: FINISHED });
  const { patrons, checkouts } = event.at();
  expect(patrons).toMatchObject([{ cardnumber: event.card, extended_attributes: MARKED }]);
  expect(checkouts).toEqual([]);
});
