import { Queue, Worker } from 'bullmq';
import { clientOf, eventOf, runEvent, type PeerEvent, type PeerPlan } from './our-client.ts';

/** What the simplest worker receives. */
export interface SimplePlan extends PeerPlan {
  readonly redisPort: number;
}

// BullMQ and our client in the simplest processor: one event after the other from the queue, the same calls, and nothing
// that is promised. Fills its queue first; prints `ready` when it starts to work.
const plan = JSON.parse(process.argv[2] ?? '') as SimplePlan;
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
const name = `simple-${plan.from}`;
const queue = new Queue(name, { connection });
await queue.addBulk(
  Array.from({ length: plan.events }, (_, place) => eventOf(plan, plan.from + place, 'simple')).map(
    (data) => ({
      name: 'scan',
      data,
      opts: { jobId: data.eventId, attempts: 3, removeOnComplete: { age: 86_400 } },
    }),
  ),
);
const atHome = clientOf(plan, plan.home);
const client = clientOf(plan, plan.lending);
const atLending = { ...client, createPatron: oneAtATime(client.createPatron) };
const worker = new Worker<PeerEvent>(name, async ({ data }) => runEvent(atHome, atLending, data), {
  connection,
  concurrency: plan.concurrency,
});
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
