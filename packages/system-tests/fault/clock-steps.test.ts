import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'midland' | 'riverside';

const HOUR_MS = 3_600_000;
const PRELOAD = fileURLToPath(new URL('clock-steps.mjs', import.meta.url));
const TRY = 'GET /patrons';

/** A consortium whose worker's clock is off, and is stepped later; the receiver's is right. */
const start = (offMs: number, stepMs: number): Promise<Consortium<Ids>> =>
  startConsortium<Ids>({
    libraries: { midland: { reports: false }, riverside: {} },
    env: {
      NODE_OPTIONS: `--import ${PRELOAD}`,
      CLOCK_OFF_MS: String(offMs),
      CLOCK_STEP_MS: String(stepMs),
    },
  });

async function scan(consortium: Consortium<Ids>, timesAway: number, agoMs = 0) {
  const { midland, riverside } = consortium.doubles;
  const card = registerPatron(midland);
  if (timesAway > 0) {
    midland.addFaults([{ operation: TRY, kind: 'html', status: 502, times: timesAway }]);
  }
  const data = { cardnumber: card, item_barcode: shelveBook(riverside) };
  const scannedAt = new Date(Date.now() - agoMs).toISOString().replace('Z', '+00:00');
  const { eventId } = await consortium.at('riverside').scan(data, { scannedAt });
  return { card, eventId };
}

describe.each([
  ['an hour slow', -HOUR_MS, 'forward', HOUR_MS],
  ['an hour fast', HOUR_MS, 'back', -HOUR_MS],
])('T-35 a worker whose clock is %s', (_off, offMs, step, stepMs) => {
  let consortium: Consortium<Ids>;
  beforeAll(async () => {
    consortium = await start(offMs, stepMs);
  }, 60_000);
  afterAll(() => consortium?.stop());

  test('keeps the schedule of tries, and checks out in time', async () => {
    const { card, eventId } = await scan(consortium, 3);

    expect(await consortium.at('riverside').follow(eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
      attempt: 4,
    });
    const tries = consortium.doubles.midland.calls().filter(({ operation }) => operation === TRY);
    expect((tries[3]?.at ?? 0) - (tries[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_700);
    expect(consortium.doubles.riverside.state(card).checkouts).toHaveLength(1);
  });

  test('checks nothing out too late, and says so', async () => {
    const { card, eventId } = await scan(consortium, 0, 95_000);

    expect(await consortium.at('riverside').follow(eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'TOO_LATE' },
    });
    const { riverside } = consortium.doubles;
    expect(riverside.state(card).checkouts).toHaveLength(0);
    await waitFor('the report to the desk', () =>
      riverside.state().outcomes.some(({ event_id: id, state }) => id === eventId && state === 'done'),
    );
  });

  test(`goes on as planned when it is stepped ${step} while an event waits`, async () => {
    const { eventId } = await scan(consortium, 3);
    const receiver = consortium.at('riverside');
    await receiver.follow(eventId, { until: ({ state }) => state === 'waiting' });
    for (const worker of consortium.services.workers) worker.signal('SIGUSR2');

    expect(await receiver.follow(eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
      attempt: 4,
    });
  });
});
