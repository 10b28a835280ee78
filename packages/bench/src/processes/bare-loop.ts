import { createKohaFloor } from '../koha-floor.ts';
import { clientOf, eventOf, runEvent, type PeerPlan } from './our-client.ts';

/** What a bare loop receives: also through which client. */
export interface LoopPlan extends PeerPlan {
  readonly client: 'koha-client' | 'node:http';
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
  return (index) => floor.runEvent({ home, lending }, index, 'loop');
}

function overClient(): (index: number) => Promise<void> {
  const [atHome, atLending] = [clientOf(plan, home), clientOf(plan, lending)];
  return (index) => runEvent(atHome, atLending, eventOf(plan, index, 'loop'));
}
