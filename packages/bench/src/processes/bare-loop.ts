import type { KohaClient } from '@passport/koha-client';
import { createKohaFloor } from '../koha-floor.ts';
import { clientsOf, eventOf, runEvent, type PeerPair, type PeerPlan } from './our-client.ts';

/** What a bare loop receives: also through which client. */
export interface LoopPlan extends PeerPlan {
  readonly client: 'koha-client' | 'node:http';
}

// The calls of an event in a bare loop, no queue.
const plan = JSON.parse(process.argv[2] ?? '') as LoopPlan;
const [pair] = plan.pairs;
const [clients] = clientsOf(plan);
if (pair === undefined || clients === undefined) throw new Error('a plan without libraries');
const run = plan.client === 'node:http' ? await overHttp(pair) : overClient(clients);
let next = 0;
await Promise.all(
  Array.from({ length: plan.concurrency }, async () => {
    for (let index = next++; index < plan.events; index = next++) await run(index);
  }),
);
process.exit(0);

async function overHttp(only: PeerPair): Promise<(index: number) => Promise<void>> {
  const floor = await createKohaFloor([only.home, only.lending]);
  return (index) => floor.runEvent(only, plan.from + index, 'loop');
}

function overClient([atHome, atLending]: readonly [KohaClient, KohaClient]): (
  index: number,
) => Promise<void> {
  return (index) => runEvent(atHome, atLending, eventOf(plan, index, 'loop'));
}
