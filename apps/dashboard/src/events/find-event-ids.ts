import { isEventId } from '@passport/contract';
import { readEventState } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import type { EventRef } from './person-actions.ts';

/** An id that somebody typed, with its library where they typed that, too (`riverside.evt_1`, as commands and logs write it). */
export interface NamedEvent {
  readonly library: string | null;
  readonly eventId: string;
}

/** Reads an id as it was typed; null when it can be none. */
export function parseNamedEvent(text: string): NamedEvent | null {
  const typed = text.trim();
  const dot = typed.indexOf('.');
  const named =
    dot === -1
      ? { library: null, eventId: typed }
      : { library: typed.slice(0, dot), eventId: typed.slice(dot + 1) };
  return isEventId(named.eventId) ? named : null;
}

/** The events of that id at these libraries. The id of a double scan leads to the first scan. */
export async function findEventIds(
  redis: Redis,
  libraries: readonly string[],
  { library, eventId }: NamedEvent,
): Promise<readonly EventRef[]> {
  const looked = libraries.filter((id) => library === null || id === library);
  const states = await Promise.all(looked.map((id) => readEventState(redis, id, eventId, (name) => name)));
  return states.flatMap((state) =>
    state === null ? [] : [{ library: state.library, eventId: state.event_id }],
  );
}
