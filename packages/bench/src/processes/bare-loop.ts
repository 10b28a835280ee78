import { createKohaClient } from '@passport/koha-client';
import { createKohaFloor } from '../koha-floor.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import type { StartedKoha } from '../kohas-protocol.ts';
import { preciseNow } from '../clock.ts';

/** What a bare loop is told: whose calls to make, how many events, and through which client. */
export interface LoopPlan {
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
  readonly client: 'koha-client' | 'node:http';
  readonly concurrency: number;
  readonly from: number;
  readonly events: number;
}

// The calls of the story in a bare loop, no queue: prints events per second.
const plan = JSON.parse(process.argv[2] ?? '') as LoopPlan;
const { home, lending } = plan;
const run = plan.client === 'node:http' ? await overHttp() : overClient();
let next = plan.from;
const end = plan.from + plan.events;
const startedAt = preciseNow();
await Promise.all(
  Array.from({ length: plan.concurrency }, async () => {
    for (let index = next++; index < end; index = next++) await run(index);
  }),
);
process.stdout.write(`${plan.events / ((preciseNow() - startedAt) / 1_000)}\n`);
process.exit(0);

async function overHttp(): Promise<(index: number) => Promise<void>> {
  const floor = await createKohaFloor([home, lending]);
  return async (index) => {
    const card = cardOf(home.prefix, index);
    await floor.look(home, card);
    const patronId = await floor.copy(lending, card, home.id, index);
    await floor.lend(lending, patronId, barcodeOf(index));
    await floor.tell(lending, `loop-${index}`);
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
      maxInFlight: 200,
      now: () => Date.now(),
    }),
  );
  if (atHome === undefined || atLending === undefined) throw new Error('two clients were made');
  return async (index) => {
    const card = cardOf(home.prefix, index);
    const [patron] = await atHome.findByCard(card, { attributes: true, balance: true });
    if (patron === undefined) throw new Error('the home library does not have the card');
    const copy = await atLending.createPatron(
      {
        cardnumber: card,
        surname: patron.surname,
        firstname: patron.firstname,
        library_id: 'MAIN',
        category_id: 'PT',
        extended_attributes: [
          { type: 'PASSPORTED', value: home.id },
          { type: 'PASSPORTED_ID', value: `${home.id}:${patron.patronId}` },
        ],
      },
      { branch: 'MAIN', confirmNotDuplicate: false },
    );
    if (copy.kind !== 'created') throw new Error(`the copy was answered with ${copy.kind}`);
    await atLending.checkOut({ patronId: copy.patronId, barcode: barcodeOf(index) }, { branch: 'MAIN' });
    await atLending.reportOutcome(`loop-${index}`, {
      event_id: `loop-${index}`,
      library: lending.id,
      seq: 1,
      state: 'done',
      outcome: 'COPIED',
    });
  };
}
