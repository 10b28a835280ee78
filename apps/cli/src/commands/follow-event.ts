import { setTimeout as sleep } from 'node:timers/promises';
import type { EventState } from '@passport/contract';
import type { CliDeps } from '../program/cli-deps.ts';
import type { ReceiverClient } from '../connect/receiver-client.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

const isOver = ({ state }: EventState): boolean => state === 'done' || state === 'failed';

/**
 * Reads the state of an event until it has ended, and reports each change once. Returns the last state seen, which has not ended when
 * `forMs` is over or the person has interrupted; null when none was seen.
 */
export async function followEvent(
  receiver: Pick<ReceiverClient, 'read'>,
  eventId: string,
  { forMs, report }: { readonly forMs: number; readonly report: (state: EventState) => void },
  { now, signal }: Pick<CliDeps, 'now' | 'signal'>,
): Promise<EventState | null> {
  const endsAt = now() + forMs;
  let last: EventState | null = null;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const state = await receiver.read(eventId);
    if (state !== null && state.seq !== last?.seq) report(state);
    last = state ?? last;
    if ((last !== null && isOver(last)) || now() >= endsAt || signal.aborted) return last;
    await sleep(Math.min(pauseMs, Math.max(0, endsAt - now())), undefined, { signal }).catch(() => undefined);
  }
}
