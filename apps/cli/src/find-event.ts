import { followEvent, jobIdOf, readEventState } from '@passport/queue';
import type { EventState } from '@passport/contract';
import { Failure, WrongUse } from './failure.ts';
import { findLibrary } from './find-library.ts';
import type { OpenQueue } from './with-queue.ts';

/** An event in the queue, and its job's id there. */
export interface FoundEvent {
  readonly jobId: string;
  readonly library: string;
  readonly state: EventState;
}

async function findAt(open: OpenQueue, library: string, eventId: string): Promise<FoundEvent | null> {
  const first = await followEvent(open.redis, library, eventId);
  const state = await readEventState(open.queue, library, first, open.nameOf);
  return state === null ? null : { jobId: jobIdOf(library, first), library, state };
}

/**
 * The event that was named on the command line: `riverside.evt_1`, or `evt_1` with a library, or without one when only one library
 * has it. The id of a double scan leads to the first scan. Throws Failure when there is none.
 */
export async function findEvent(open: OpenQueue, named: string, at: string | undefined): Promise<FoundEvent> {
  const dot = named.indexOf('.');
  const eventId = dot === -1 ? named : named.slice(dot + 1);
  const library = dot === -1 ? at : named.slice(0, dot);
  if (library !== undefined) findLibrary(open.consortium, library);
  const libraries = library === undefined ? open.consortium.libraries.map(({ id }) => id) : [library];
  const looks = await Promise.all(libraries.map((id) => findAt(open, id, eventId)));
  const [found, another] = looks.filter((look) => look !== null);
  if (found === undefined) {
    throw new Failure(`the queue has no event ${eventId}${library === undefined ? '' : ` of ${library}`}`, {
      code: 'unknown',
    });
  }
  if (another !== undefined)
    throw new WrongUse(`several libraries have an event ${eventId}: say which with --at`);
  return found;
}
