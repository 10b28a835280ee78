import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const PRELOAD = fileURLToPath(new URL('block-loop.mjs', import.meta.url));
/** After 30 s, as shipped (event-loop-watch.ts). */
const ENDED_MS = 40_000;

let consortium: Consortium<'midland' | 'riverside'>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: { midland: { reports: false }, riverside: {} },
    dashboards: 1,
    keys: { defaults: { retry: { checkout_within: '10m' } } },
    env: { NODE_OPTIONS: `--import ${PRELOAD}` },
  });
}, 60_000);
afterAll(() => consortium?.stop(), 60_000);

test('a process whose event loop stays blocked ends, says why, and has lost nothing when it is started again', async () => {
  const { services, doubles } = consortium;
  const all = [...services.receivers, ...services.workers, ...services.dashboards];
  const data = { cardnumber: registerPatron(doubles.midland), item_barcode: shelveBook(doubles.riverside) };
  const { eventId } = await consortium.at('riverside').scan(data);
  for (const service of all) service.signal('SIGUSR2');

  await waitFor('all to have ended', () => all.every((service) => !service.alive()), { timeoutMs: ENDED_MS });
  const lines = (await services.logs()).split('\n').filter((line) => line.includes('event loop is blocked'));
  expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(
    expect.arrayContaining(['receiver', 'worker', 'dashboard']),
  );
  await Promise.all(all.map((service) => service.restart()));
  expect(await consortium.at('riverside').follow(eventId)).toMatchObject({
    outcome: 'COPIED',
    checkout: { result: 'CHECKED_OUT' },
  });
}, 120_000);
