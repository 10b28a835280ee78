import { fileURLToPath } from 'node:url';
import { startProcess, type StartedProcess } from '@passport/testkit';
import type { PeerPlan } from './processes/our-client.ts';
import type { SimplePlan } from './processes/simple-worker.ts';

/** The defaults of the product, for the peers too. */
export const CONCURRENCY = 50;
export const MAX_IN_FLIGHT = 8;

/** Starts one of the programs in `processes` with its plan. */
export function startPeer(name: string, plan: PeerPlan, readyWhen?: RegExp): Promise<StartedProcess> {
  return startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL(`./processes/${name}.js`, import.meta.url)), JSON.stringify(plan)],
    env: { NODE_ENV: 'production' },
    ...(readyWhen && { readyWhen }),
  });
}

/** Queues the events of a plan, and then starts so many of the simplest processors, which share them. */
export async function startSimple(
  plan: Omit<SimplePlan, 'does'>,
  count: number,
): Promise<readonly StartedProcess[]> {
  const planFor = (does: SimplePlan['does']): SimplePlan => ({ ...plan, does });
  const filling = await startPeer('simple-worker', planFor('fill'));
  const { code } = await filling.exited;
  if (code !== 0) throw new Error(`the queue was not filled: ${filling.output()}`);
  return Promise.all(
    Array.from({ length: count }, () => startPeer('simple-worker', planFor('work'), /^ready$/m)),
  );
}
