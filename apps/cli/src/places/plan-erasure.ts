import { jobIdOf, type ScanJobs } from '@passport/queue';
import { STATE_TEXTS } from './describe-place.ts';
import type { Place, PlaceState } from './find-places.ts';

/** An event of the patron whose job is still in the queue; the job names the home key. */
interface KeptEvent {
  readonly event: string;
  readonly state: string;
}

/** What erasing one patron's data at one lending library takes. */
export interface ErasureStep {
  readonly place: Place;
  /** What a person does at this library; null where nothing is left to do. */
  readonly todo: string | null;
  readonly keptEvents: readonly KeptEvent[];
  /** Why its receipts, and the records of its copies, stay; null where they can be removed. */
  readonly receiptsStay: string | null;
}

/** What a person does about a place in this state. */
const NEXT_STEPS: Readonly<Record<PlaceState, (records: string) => string | null>> = {
  copy: (records) =>
    `delete ${records} in its Koha (More > Delete, or misc/cronjobs/delete_patrons.pl --file FILE --confirm)`,
  anonymized: (records) => `delete ${records} in its Koha`,
  released: (records) => `${records} is the library's own patron: it decides; at least remove the home key`,
  gone: () => null,
  not_seen: () =>
    'grant view_borrower_infos_from_any_libraries to our API user and repeat, or let the library search for the home key',
  no_answer: () => 'repeat when its Koha answers',
  refused: () => 'fix the permissions of our API user (passport doctor) and repeat',
  disabled: () => 'let the library search for the home key',
  no_home_keys: () => 'let the library search for the patron',
  not_configured: () => 'let the library search for the home key',
};

/** BullMQ's states of a job that still runs or waits, and so may still make a copy. */
const ENDED = ['completed', 'failed', 'unknown'];

/** What erasing the data at these places takes, place by place. Reads the queue and changes nothing. */
export async function planErasure(places: readonly Place[], queue: ScanJobs): Promise<ErasureStep[]> {
  return Promise.all(
    places.map(async (place): Promise<ErasureStep> => {
      const keptEvents = await keptEventsOf(place, queue);
      const records = place.records.map(({ patronId }) => `patron ${patronId}`).join(' and ');
      return {
        place,
        todo: NEXT_STEPS[place.state](records),
        keptEvents,
        receiptsStay: whyReceiptsStay(place, keptEvents),
      };
    }),
  );
}

async function keptEventsOf(place: Place, queue: ScanJobs): Promise<KeptEvent[]> {
  const kept = await Promise.all(
    place.receipts.map(async ({ receipt }): Promise<KeptEvent | null> => {
      const job = await queue.getJob(jobIdOf(receipt.lending, receipt.eventId));
      return job === undefined ? null : { event: receipt.eventId, state: await job.getState() };
    }),
  );
  return kept.filter((each) => each !== null);
}

/** Receipts are the only list of who received the data: they go last. */
function whyReceiptsStay(
  { state, receipts, recorded }: Place,
  keptEvents: readonly KeptEvent[],
): string | null {
  if (receipts.length + recorded.length === 0) return null;
  if (state !== 'gone') return STATE_TEXTS[state];
  const unfinished = keptEvents.find((each) => !ENDED.includes(each.state));
  return unfinished === undefined ? null : `event ${unfinished.event} has not ended`;
}
