import { setTimeout as pause } from 'node:timers/promises';
import type { EventState } from '@passport/contract';
import type { SeededRandom } from '@passport/testkit';
import type { Consortium } from '../harness/start-consortium.ts';
import type { ChaosEvent } from './chaos-events.ts';
import type { ChaosLibrary } from './chaos-libraries.ts';

/** The text that every library of a run shows. */
export const TEXT = { id: 'chaos-1', text: 'May we copy your record?' };

const LOOK_EVERY_MS = 250;
const RETRY_MS = 300;

/** The desks of a run: shows what an event asks, and reports what the patron says. */
export interface Desks {
  /** Waits for the question of an event that was acknowledged, if it gets one, and answers it as the event says. */
  watch(event: ChaosEvent): void;
  settled(): Promise<void>;
}

const isOver = ({ state }: EventState): boolean => state === 'done' || state === 'failed';
const asks = ({ consent, waiting_for: held }: EventState): boolean =>
  consent !== undefined && held?.reason === 'CONSENT';

/** Answers as the plugin does: at any receiver, and again where one did not answer. Gives an event up after `patienceMs`. */
export function openDesks(
  consortium: Consortium<ChaosLibrary>,
  random: SeededRandom,
  patienceMs: number,
): Desks {
  const open = new Set<Promise<void>>();
  /** Scans that were coalesced into one event have one question. */
  const events = new Map<string, ChaosEvent[]>();

  const receiver = (library: ChaosLibrary) =>
    consortium.at(library, random.int(consortium.services.receivers.length));

  const isAsked = async ({ library }: ChaosEvent, id: string): Promise<boolean> => {
    const givesUpAt = performance.now() + patienceMs;
    while (performance.now() < givesUpAt) {
      const state = await receiver(library)
        .state(id)
        .catch(() => null);
      if (state !== null && isOver(state)) return false;
      if (state !== null && asks(state)) return true;
      await pause(LOOK_EVERY_MS);
    }
    return false;
  };

  const answer = async (event: ChaosEvent, id: string, together: readonly ChaosEvent[]): Promise<void> => {
    if (event.answer === 'never' || !(await isAsked(event, id))) return;
    const saidAtMs = Date.now();
    for (const each of together) Object.assign(each, { expected: event.answer, saidAtMs });
    const data = { answer: event.answer, text_id: TEXT.id, operator: 51 };
    for (;;) {
      const status = await receiver(event.library)
        .consent(id, data)
        .catch(() => 0);
      if (status === 200) for (const each of together) each.heardAtMs = Date.now();
      // 404 and 409: the question has lapsed meanwhile.
      if (status === 200 || status === 404 || status === 409) return;
      await pause(RETRY_MS);
    }
  };
  return {
    watch(event) {
      const { library, followId } = event;
      if (followId === null) return;
      const key = `${library} ${followId}`;
      const together = events.get(key) ?? [];
      const isFirst = together.length === 0;
      const [first] = together;
      if (first !== undefined) {
        const { expected, saidAtMs, heardAtMs } = first;
        Object.assign(event, { expected, saidAtMs, heardAtMs });
      }
      if (!together.includes(event)) together.push(event);
      events.set(key, together);
      if (!isFirst) return;
      const answering = answer(event, followId, together).finally(() => open.delete(answering));
      open.add(answering);
    },
    settled: async () => void (await Promise.all(open)),
  };
}
