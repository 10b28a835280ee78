import { Queue, Worker } from 'bullmq';
import { clientsOf, eventOf, runEvent, type PeerEvent, type PeerPlan } from './our-client.ts';

/** What the simplest worker receives. */
export interface SimplePlan extends PeerPlan {
  readonly redisPort: number;
  /** Whether it puts the events into the queue and ends, or works on what is there. */
  readonly does: 'fill' | 'work';
}

// BullMQ and our client in the simplest processor: one event after the other from the queue, the same calls, and nothing
// that is promised. Prints `ready` when it starts to work.
const plan = JSON.parse(process.argv[2] ?? '') as SimplePlan;
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
const name = `simple-${plan.from}`;
if (plan.does === 'fill') await fill();
else workOn();

async function fill(): Promise<void> {
  const queue = new Queue(name, { connection });
  const events = Array.from({ length: plan.events }, (_, place) => eventOf(plan, place, 'simple'));
  await queue.addBulk(
    events.map((data) => ({
      name: 'scan',
      data,
      opts: { jobId: data.eventId, attempts: 3, removeOnComplete: { age: 86_400 } },
    })),
  );
  await queue.close();
}

function workOn(): void {
  const clients = clientsOf(plan).map(
    ([home, lending]) => [home, { ...lending, createPatron: oneAtATime(lending.createPatron) }] as const,
  );
  const run = async (event: PeerEvent): Promise<void> => {
    const [atHome, atLending] = clients[event.pair] ?? [];
    if (atHome === undefined || atLending === undefined) throw new Error('an event of another plan');
    await runEvent(atHome, atLending, event);
  };
  const worker = new Worker<PeerEvent>(name, ({ data }) => run(data), {
    connection,
    concurrency: plan.concurrency,
  });
  worker.on('failed', (_job, error) => {
    process.stderr.write(`${error.message}\n`);
  });
  process.stdout.write('ready\n');
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
