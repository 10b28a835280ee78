import { type Consortium, cliConfig, type Library } from '@passport/config';
import { REMEMBERED_HOURS } from '@passport/contract';
import { dropCopyRecords, removeReceipts } from '@passport/queue/copies';
import { jobIdOf } from '@passport/queue/keys';
import type { ScanJobs } from '@passport/queue/scans';
import { type OpenQueue, withQueue } from '../connect/with-queue.ts';
import { placeJson, receiptCount, recordedText, STATE_TEXTS } from '../places/describe-place.ts';
import {
  auditedPatron,
  findPlaces,
  isConfigured,
  type Place,
  type PlaceState,
} from '../places/find-places.ts';
import { homeIn } from '../places/home-key.ts';
import { type CliDeps, defineCommand, flag, localDay, type Report } from '../program/index.ts';
import { openAudit } from '../program/open-audit.ts';
import { type CopyWork, goThrough, type Ran } from './copies/plan.ts';
import {
  allCopies,
  DELETION,
  deleteAt,
  type PlannedDeletion,
  type DeletionDetails,
  type DeletionFinding,
} from './copies/delete-at.ts';

/** What a Koha itself keeps of a patron after the record is deleted, and the command that clears it there. */
interface KohaTrace {
  /** Koha's table. */
  readonly table: string;
  readonly holds: string;
  /** Dry without `--confirm`. Koha clears by age, for all patrons at once, and counts from one day. */
  readonly command: string;
}

/**
 * Witness in Koha: `misc/cronjobs/cleanup_database.pl` (`--deleted-patrons`, `--logs`, `--log-module`, `--confirm`; a zero is
 * ignored or means the default), `Koha/Patron.pm` (`logaction("MEMBERS", ...)` under the preference BorrowersLog).
 */
export const KOHA_TRACES: readonly KohaTrace[] = [
  {
    table: 'deletedborrowers',
    holds: 'the whole record, from its deletion on',
    command: 'misc/cronjobs/cleanup_database.pl --deleted-patrons DAYS --confirm -v',
  },
  {
    table: 'action_logs',
    holds: 'changes with the values before and after, under the preference BorrowersLog',
    command: 'misc/cronjobs/cleanup_database.pl --logs DAYS --log-module MEMBERS --confirm -v',
  },
];

/** An event of the patron whose job is still in the queue; the job names the home key. */
interface KeptEvent {
  readonly event: string;
  readonly state: string;
}

/** What erasing one patron's data at one lending library takes. */
interface ErasureStep {
  readonly place: Place;
  /** What the plan says of each copy there. */
  readonly copies: readonly PlannedDeletion[];
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

/** The findings after which nothing is left to do about a copy: it is deleted, will be with `--apply`, or something keeps it. */
const SETTLED: readonly DeletionFinding[] = ['delete', 'deleted', 'settled', 'gone', 'kept'];

/** The copies of the patron, as `copies delete` decides about them; deletes those that nothing keeps where it `applies`. */
async function deleteCopies(
  { homeKey, home }: { readonly homeKey: string; readonly home: string },
  lenders: readonly Library[],
  applies: boolean,
  report: Report,
  deps: CliDeps,
): Promise<Ran<PlannedDeletion>> {
  const wish = { of: home, homeKey, today: localDay(deps.now()), criteria: allCopies('erased') };
  const work: CopyWork<DeletionFinding, DeletionDetails> = {
    action: 'copies_delete',
    auditOf: ({ because, blocks }) => ({ because, blocks }),
    lenders,
    applies,
    needsQueue: applies,
    at: (place) => deleteAt(place, wish),
    ...DELETION,
  };
  return goThrough(work, report, deps);
}

/** BullMQ's states of a job that still runs or waits, and so may still make a copy. */
const ENDED = ['completed', 'failed', 'unknown'];

/** What erasing the data at these places takes, place by place. Reads the queue and changes nothing. */
async function planErasure(
  places: readonly Place[],
  copies: readonly PlannedDeletion[],
  queue: ScanJobs,
): Promise<ErasureStep[]> {
  return Promise.all(
    places.map(async (place): Promise<ErasureStep> => {
      const keptEvents = await keptEventsOf(place, queue);
      const here = copies.filter(({ lending }) => lending === place.lending);
      const isSettled = (id: number): boolean =>
        here.some(({ patron_id, finding }) => patron_id === id && SETTLED.includes(finding));
      const left = place.records.filter(({ patronId }) => !isSettled(patronId));
      const records = left.map(({ patronId }) => `patron ${patronId}`).join(' and ');
      const isAllSettled = place.records.length > 0 && left.length === 0;
      return {
        place,
        copies: here,
        todo: isAllSettled ? null : NEXT_STEPS[place.state](records),
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

interface Erasure {
  readonly homeKey: string;
  readonly steps: readonly ErasureStep[];
  /** How many receipts, and records of copies, were removed; null for a plan. */
  readonly removed: { readonly receipts: number; readonly records: number } | null;
  readonly retention: Consortium['retention'];
  /** Whether something is left to do, or may be. */
  readonly isIncomplete: boolean;
}

/** Whether something is left to do. Receipts of a copy that something keeps stay with it, until it is deleted. */
const isLeft = ({ copies, todo, receiptsStay }: ErasureStep): boolean =>
  todo !== null || (receiptsStay !== null && !copies.some(({ finding }) => finding === 'kept'));

const days = (ms: number): string => {
  const hours = Math.round(ms / 3_600_000);
  return hours % 24 === 0 && hours > 24 ? `${hours / 24} days` : `${hours} hours`;
};

/** What stays of the patron whatever is done here, and for how long. */
const remaining = ({ retention }: Pick<Erasure, 'retention'>): readonly string[] => [
  `jobs of ended events, which name the home key: ${days(retention.finishedMs)}, failed ones ${days(retention.failedMs)} ` +
    '(or discard them on the dashboard)',
  "the plugin's tables at a lending library: states of scans a day, what was written into a copy until the night after its deletion",
  'what was written into a copy and its Koha has not stored yet: until it is stored, 30 days at most',
  'what the patron owes at a lending library: until it is read again, 8 days at most',
  `marks of receipts and idempotency keys: ${REMEMBERED_HOURS} hours`,
  'audit lines of the log, this one included: as long as you keep logs',
  'the append-only file of Redis: until its next rewrite, within the hour; backups: as long as you keep them',
];

function toJson(erasure: Erasure) {
  const { homeKey, steps, removed } = erasure;
  return {
    home_key: homeKey,
    applied: removed !== null,
    receipts_removed: removed?.receipts ?? 0,
    records_removed: removed?.records ?? 0,
    places: steps.map(({ place, copies, todo, keptEvents, receiptsStay }) => ({
      ...placeJson(place),
      copies: copies.map(({ patron_id, finding, blocks }) => ({ patron_id, finding, blocks })),
      todo,
      kept_events: keptEvents,
      receipts_stay: receiptsStay,
    })),
    koha_traces: KOHA_TRACES,
    remaining: remaining(erasure),
  };
}

const copyText = ({ patron_id: id, finding, blocks }: PlannedDeletion): string =>
  `patron ${id ?? '-'}: ${finding === 'delete' ? 'deleted with --apply' : [finding, ...(blocks.length > 0 ? ['by', ...blocks] : [])].join(' ')}`;

function printStep(
  { place, copies, todo, keptEvents, receiptsStay }: ErasureStep,
  removes: boolean,
  report: Report,
): void {
  const { line, colors } = report;
  line(`${colors.bold(place.lending)}: ${STATE_TEXTS[place.state]}`);
  for (const copy of copies) line(`  copy      ${copyText(copy)}`);
  if (todo !== null) line(`  to do     ${todo}`);
  const becomes = removes ? 'removed' : 'removed with --apply';
  const after = receiptsStay === null ? becomes : `kept, because ${receiptsStay}`;
  if (place.receipts.length > 0) line(`  receipts  ${receiptCount(place.receipts.length)}: ${after}`);
  if (place.recorded.length > 0) line(`  on record ${recordedText(place)}: ${after}`);
  for (const { event, state } of keptEvents) line(`  event     ${event}: its job is kept (${state})`);
}

function print(erasure: Erasure, report: Report): void {
  const { homeKey, steps, removed } = erasure;
  const { line, colors } = report;
  line(steps.length === 0 ? `${homeKey}: no receipt and no copy` : homeKey);
  for (const step of steps) printStep(step, removed !== null, report);
  if (steps.length > 0) {
    line();
    line('Each lending library clears what its Koha keeps of a deleted patron, of all patrons by age:');
    for (const { table, holds, command } of KOHA_TRACES)
      line(`  ${table.padEnd(17)} ${holds}\n    ${command}`);
    line();
    line('What stays for a while:');
    for (const text of remaining(erasure)) line(`  ${text}`);
    line();
  }
  if (removed === null) return;
  const records = removed.records === 0 ? '' : `, ${removed.records} on record no longer`;
  line(colors.bold(`${receiptCount(removed.receipts)} removed${records}`));
}

/** The receipts, and what is on record of copies, of lending libraries that have nothing else. */
async function apply(
  steps: readonly ErasureStep[],
  { redis }: OpenQueue,
): Promise<NonNullable<Erasure['removed']>> {
  const removable = steps.filter(({ receiptsStay }) => receiptsStay === null);
  let records = 0;
  for (const { place } of removable) {
    const { lending, homeKey, recorded: patronIds } = place;
    if (place.state === 'gone') records += await dropCopyRecords(redis, lending, { homeKey, patronIds });
  }
  const ids = removable.flatMap(({ place }) => place.receipts.map(({ id }) => id));
  return { receipts: await removeReceipts(redis, ids), records };
}

function audit({ steps, removed, isIncomplete }: Erasure, patron: object, deps: CliDeps): void {
  const lending = steps.map(({ place }) => place.lending);
  const result = removed === null ? 'planned' : isIncomplete ? 'incomplete' : 'done';
  const receipts = removed?.receipts ?? 0;
  openAudit(deps, 'erase', 'erase by an operator')({ ...patron, lending, result, receipts });
}

export const eraseData = defineCommand({
  summary: "plan the erasure of a patron's data everywhere",
  description:
    "Plans how a patron's data are erased everywhere: which copies are deleted and what keeps the others, which receipts can be removed, " +
    'what a Koha keeps of a deleted patron with the command that clears it, and what goes by itself. Changes nothing without --apply. ' +
    'With --apply it deletes the copies that nothing keeps, as `passport copies delete`, and then removes the receipts of lending ' +
    'libraries where no record is left, and what the service has on record of copies there, and says why the others are kept: receipts ' +
    'are the only list of who received the data, and go last. It is recorded in the audit log. With --apply, the exit code is 1 while ' +
    'something is left to do, other than to wait for what keeps a copy. It is 1 as well where the configuration does not have the home ' +
    'library: only what receipts name is found then.',
  examples: ['passport erase midland:812', 'passport erase midland:812 --apply'],
  argument: ['<homekey>', "the home library's id and the number of the patron in its Koha"],
  options: { apply: flag('delete the copies, and remove the receipts and records, that can be') },
  run: (wanted, [homeKey = ''], report, deps) => {
    const home = homeIn(homeKey);
    const { consortium } = cliConfig(deps.env, deps.readFile, ['koha']);
    const applies = wanted.apply === true;
    const subject = { kind: 'patron', homeKey, home } as const;
    const isKnown = isConfigured(home, consortium, report);
    return withQueue(deps, async (open): Promise<0 | 1> => {
      const before = await findPlaces(subject, consortium, open.redis, deps);
      const at = new Set(before.flatMap(({ state, lending }) => (state === 'copy' ? [lending] : [])));
      const lenders = consortium.libraries.filter(({ id }) => at.has(id));
      const ran = await deleteCopies(subject, lenders, applies, report, deps);
      const copies = ran.copies.filter(({ home_key: key }) => key === homeKey);
      const isDone = copies.some(({ finding }) => finding === 'deleted' || finding === 'settled');
      const places = isDone ? await findPlaces(subject, consortium, open.redis, deps) : before;
      const steps = await planErasure(places, copies, open.queue);
      const removed = applies && ran.stopped === null ? await apply(steps, open) : null;
      const isIncomplete = !isKnown || ran.stopped !== null || steps.some(isLeft);
      const { retention } = consortium;
      const erasure: Erasure = { homeKey, steps, removed, retention, isIncomplete };
      audit(erasure, auditedPatron(homeKey, home, before), deps);
      report.json(toJson(erasure));
      print(erasure, report);
      if (ran.stopped !== null) report.progress(`${ran.stopped.message}: repeat the command`);
      return !isKnown || (applies && isIncomplete) ? 1 : 0;
    });
  },
});
