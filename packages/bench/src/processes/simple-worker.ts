import { createKohaClient } from '@passport/koha-client';
import { Queue, Worker } from 'bullmq';
import { barcodeOf, cardOf, type StartedKoha } from '../kohas-protocol.ts';
import { runEvent } from '../run-event.ts';

/** What the simplest worker receives. */
export interface SimplePlan {
  readonly redisPort: number;
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly from: number;
  readonly events: number;
}

// BullMQ and our client in the simplest processor: one event after the other from the queue, the same calls, and nothing
// that is promised. Fills its queue first; prints `ready` when it starts to work.
const plan = JSON.parse(process.argv[2] ?? '') as SimplePlan;
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
const name = `simple-${plan.from}`;
const queue = new Queue(name, { connection });
await queue.addBulk(
  Array.from({ length: plan.events }, (_, place) => ({
    name: 'scan',
    data: { card: cardOf(plan.home.prefix, plan.from + place), barcode: barcodeOf(plan.from + place) },
    opts: { jobId: `simple-${plan.from + place}`, attempts: 3, removeOnComplete: { age: 86_400 } },
  })),
);
const [atHome, atLending] = [plan.home, plan.lending].map(({ id, url, clientId, clientSecret }) =>
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
const lendingClient = { ...atLending, createPatron: oneAtATime(atLending.createPatron) };
const worker = new Worker<{ card: string; barcode: string }>(
  name,
  async ({ id, data }) => runEvent({ atHome, atLending: lendingClient }, { ...data, eventId: String(id) }),
  { connection, concurrency: plan.concurrency },
);
worker.on('failed', (_job, error) => {
  process.stderr.write(`${error.message}\n`);
});
process.stdout.write('ready\n');

/** Each lending Koha gets one create at a time from whoever creates: two deadlock in its database (docs/decisions/0017-one-create-at-a-time.md). */
function oneAtATime<Args extends unknown[], T>(
  work: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const mine = before.then(() => work(...args));
    before = mine.catch(() => undefined);
    return mine;
  };
}
