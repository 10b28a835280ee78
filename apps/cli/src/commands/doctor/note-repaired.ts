import type { Consortium, Library } from '@passport/config';
import { faultsOf, readSetUps, writeSetUp } from '@passport/queue/sweeps';
import { type Finding, findingsToKeep } from '@passport/set-up';
import type { OpenQueue } from '../../connect/with-queue.ts';

/** What doctor found at one library. */
interface Examined {
  readonly library: Library;
  readonly findings: readonly Finding[];
}

/**
 * Ends what the last nightly check found at libraries where doctor finds no fault any more: an alert does not stay until the next night.
 * A fault that doctor finds is not written down: it may be one of the way from here.
 */
export async function noteRepaired(
  examined: readonly Examined[],
  consortium: Consortium,
  { redis, now }: Pick<OpenQueue, 'redis' | 'now'>,
): Promise<void> {
  const setUps = await readSetUps(redis);
  for (const { library, findings } of examined) {
    const seen = setUps.get(library.id);
    if (seen === undefined || faultsOf(seen).length === 0) continue;
    if (findings.some(({ level }) => level === 'fault')) continue;
    const kept = findingsToKeep(findings, library, consortium);
    await writeSetUp(redis, library.id, {
      ...seen,
      at_ms: await now(),
      findings: kept,
      unchecked_since_ms: undefined,
    });
  }
}
