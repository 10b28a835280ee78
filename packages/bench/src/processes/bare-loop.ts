import { createKohaClient } from '@passport/koha-client';
import { createKohaFloor } from '../koha-floor.ts';
import { barcodeOf, cardOf, type StartedKoha } from '../kohas-protocol.ts';
import { runEvent } from '../run-event.ts';

/** What a bare loop receives: whose calls to make, how many events, and through which client. */
export interface LoopPlan {
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
  readonly client: 'koha-client' | 'node:http';
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly from: number;
  readonly events: number;
}

// The calls of an event in a bare loop, no queue.
const plan = JSON.parse(process.argv[2] ?? '') as LoopPlan;
const { home, lending } = plan;
const run = plan.client === 'node:http' ? await overHttp() : overClient();
let next = plan.from;
const end = plan.from + plan.events;
await Promise.all(
  Array.from({ length: plan.concurrency }, async () => {
    for (let index = next++; index < end; index = next++) await run(index);
  }),
);
process.exit(0);

async function overHttp(): Promise<(index: number) => Promise<void>> {
  const floor = await createKohaFloor([home, lending]);
  return async (index) => {
    const card = cardOf(home.prefix, index);
    await floor.look(home, card);
    const patronId = await floor.copy(lending, card, home.id, index);
    await floor.checkOut(lending, patronId, barcodeOf(index));
    await floor.report(lending, `loop-${index}`);
  };
}

function overClient(): (index: number) => Promise<void> {
  const [atHome, atLending] = [home, lending].map(({ id, url, clientId, clientSecret }) =>
    createKohaClient({
      library: id,
      url,
      clientId,
      clientSecret,
      timeoutMs: 10_000,
      maxInFlight: plan.maxInFlight,
      now: () => Date.now(),
    }),
  );
  if (atHome === undefined || atLending === undefined) throw new Error('two clients were made');
  return (index) =>
    runEvent(
      { atHome, atLending },
      { card: cardOf(home.prefix, index), barcode: barcodeOf(index), eventId: `loop-${index}` },
    );
}
