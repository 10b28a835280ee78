import { createKohaClient, type KohaClient } from '@passport/koha-client';
import { Queue, Worker } from 'bullmq';
import { barcodeOf, cardOf, type StartedKoha } from '../kohas-protocol.ts';

/** What the simplest worker receives. */
export interface SimplePlan {
  readonly redisPort: number;
  readonly home: StartedKoha;
  readonly lending: StartedKoha;
  readonly concurrency: number;
  readonly maxInFlight: number;
  /** The first card and item, and how many events. */
  readonly from: number;
  readonly events: number;
}

// BullMQ and our client in the simplest processor: queues its events, prints `ready`, and then works on one after the other
// with the calls that ours makes, and nothing that is promised.
const plan = JSON.parse(process.argv[2] ?? '') as SimplePlan;
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
const name = `simple-${plan.from}`;
const [atHome, atLending] = [clientOf(plan.home), clientOf(plan.lending)];
const createPatron = oneAtATime(atLending.createPatron);

const queue = new Queue<{ index: number }>(name, { connection });
const jobs = Array.from({ length: plan.events }, (_, place) => ({
  name: 'scan',
  data: { index: plan.from + place },
  opts: { jobId: `${name}-${place}`, attempts: 3, removeOnComplete: { age: 86_400 } },
}));
await queue.addBulk(jobs);
await queue.close();
process.stdout.write('ready\n');
const { concurrency } = plan;
new Worker<{ index: number }>(name, ({ data }) => run(data.index), { connection, concurrency }).on(
  'failed',
  (_job, error) => void process.stderr.write(`${error.message}\n`),
);

/** The calls of one event: look-up, copy, checkout, report. Throws where one does not succeed. */
async function run(index: number): Promise<void> {
  const card = cardOf(plan.home.prefix, index);
  const [patron] = await atHome.findByCard(card, { attributes: true, balance: false });
  if (patron === undefined) throw new Error('the home library does not have the card');
  const copy = await createPatron(
    {
      cardnumber: card,
      surname: patron.surname,
      firstname: patron.firstname,
      ...patron.fields,
      date_of_birth: patron.dateOfBirth,
      library_id: 'MAIN',
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: atHome.library },
        { type: 'PASSPORTED_ID', value: `${atHome.library}:${patron.patronId}` },
      ],
    },
    { branch: 'MAIN', confirmNotDuplicate: false },
  );
  if (copy.kind !== 'created') throw new Error(`the copy was answered with ${copy.kind}`);
  await atLending.checkOut({ patronId: copy.patronId, barcode: barcodeOf(index) }, { branch: 'MAIN' });
  const { library } = atLending;
  const eventId = `simple-${index}`;
  const report = { event_id: eventId, library, seq: 1, state: 'done', outcome: 'COPIED' } as const;
  await atLending.reportOutcome(eventId, report);
}

function clientOf({ id: library, url, clientId, clientSecret }: StartedKoha): KohaClient {
  const { maxInFlight } = plan;
  const now = () => Date.now();
  return createKohaClient({ library, url, clientId, clientSecret, timeoutMs: 10_000, maxInFlight, now });
}

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
