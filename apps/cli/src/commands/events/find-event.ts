import { jobIdOf } from '@passport/queue/keys';
import { readEventState } from '@passport/queue/scans';
import type { EventState } from '@passport/contract';
import type { OpenQueue } from '../../connect/with-queue.ts';
import { Failure, findLibrary, WrongUse } from '../../program/index.ts';

/** An event in the queue, and its job's id there. */
export interface FoundEvent {
  readonly jobId: string;
  readonly library: string;
  readonly state: EventState;
}

async function findAt(open: OpenQueue, library: string, eventId: string): Promise<FoundEvent | null> {
  const state = await readEventState(open.redis, library, eventId, open.nameOf);
  return state === null ? null : { jobId: jobIdOf(library, state.event_id), library, state };
}

/** As typed: `riverside.evt_1`, or `evt_1` with or without a library. */
function parseName(named: string, at: string | undefined): { eventId: string; library: string | undefined } {
  const dot = named.indexOf('.');
  return dot === -1
    ? { eventId: named, library: at }
    : { eventId: named.slice(dot + 1), library: named.slice(0, dot) };
}

/**
 * The event that was named on the command line, or null when there is none: `riverside.evt_1`, or `evt_1` with a library, or
 * without one when only one library has it. The id of a double scan leads to the first scan. Throws WrongUse when the name
 * can never lead to one event.
 */
export async function lookForEvent(
  open: OpenQueue,
  named: string,
  at: string | undefined,
): Promise<FoundEvent | null> {
  const { eventId, library } = parseName(named, at);
  if (library !== undefined) findLibrary(open.consortium, library);
  const libraries = library === undefined ? open.consortium.libraries.map(({ id }) => id) : [library];
  const looks = await Promise.all(libraries.map((id) => findAt(open, id, eventId)));
  const [found, another] = looks.filter((look) => look !== null);
  if (another !== undefined)
    throw new WrongUse(`several libraries have an event ${eventId}: say which with --at`);
  return found ?? null;
}

/** The same where there has to be one: throws Failure when there is none. */
export async function findEvent(open: OpenQueue, named: string, at: string | undefined): Promise<FoundEvent> {
  const found = await lookForEvent(open, named, at);
  if (found !== null) return found;
  const { eventId, library } = parseName(named, at);
  throw new Failure(`the queue has no event ${eventId}${library === undefined ? '' : ` of ${library}`}`, {
    code: 'unknown',
  });
}
