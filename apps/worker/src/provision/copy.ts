import { type CreateResult, KohaError } from '@passport/koha-client';
import type { Scan } from './scan.ts';
import { CONFLICT, type CopyOrder, type CopyResult, misconfigured } from './copy-result.ts';
import { findLocalCopy } from './local-copy.ts';
import type { CreateAccess, TakeWithPlace } from './create-place.ts';
import type { PatronLock } from './patron-lock.ts';
import { isOfTheMoment } from '../koha/of-the-moment.ts';
import type { Step } from './step.ts';

export interface CopyDeps {
  readonly createAccess: Pick<CreateAccess, 'within'>;
  /** When the scan began to be worked on: of those who wait to create, the oldest is next. */
  readonly scan: Pick<Scan, 'lending' | 'eventId' | 'startedMs'>;
  readonly patronLock: Pick<PatronLock, 'take'>;
  /** Writes down that the copy is about to be sent, before it is, and takes all that this needs, or nothing. */
  readonly noteSent: TakeWithPlace;
  /** Takes that back: nothing was sent after all. */
  readonly nothingLeft: () => void;
  /** In [0, 1). */
  readonly random: () => number;
}

/** A patron with our home key needs this permission to be seen from another branch (API.md, surprise 10). */
const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';
/**
 * A deadlock in Koha's database is its own error too, and a desk's or a batch's writes can be in our way like our own:
 * eight tries with jitter stored 200 of 200 records that had 113 deadlocks between them (docs/decisions/0050).
 */
const MOST_REFUSALS = 8;
/** Namesakes at one desk at one moment are few; in a rush of them each try lets one more through. */
const MOST_RACES = 10;
/** Creates lost to an error page within one try, each followed by a look that was answered. */
const MOST_LOSSES = 3;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_600;

/**
 * Makes sure that the copy is there, once. Idempotent by looking, not by remembering: whatever Koha answers that can
 * mean "is there already", and every answer that was lost, is followed by a look, by card and then by home key.
 * Throws KohaError or LibraryClosed where the look itself fails.
 */
export async function copyPatron(order: CopyOrder, step: Step, deps: CopyDeps): Promise<CopyResult> {
  let unsure = order.lookFirst;
  if (unsure) await deps.patronLock.take();
  let last: NotCreated | null = null;
  for (let tries = 0; ; tries += 1) {
    const found = unsure || last !== null ? await findLocalCopy(order, step, unsure) : null;
    if (found !== null) return found;
    const end = last === null ? null : await decideEnd(last, tries, order, step, deps);
    if (end !== null) return end;
    const made = await createInPlace(order, step, deps, tries === 0);
    if (made.kind === 'busy') return made;
    if (made.kind === 'end') return made.result;
    last = made;
    unsure ||= last.kind !== 'there';
    // An error that is over lets the look wait until right before the next try.
    const isOver = last.kind === 'record_refused' || (last.kind === 'lost' && last.isOfTheMoment);
    if (isOver) await pauseAfter(tries + 1, step, deps);
  }
}

/** What comes of so many tries, of which nothing is found at the lending library; null: one more. */
async function decideEnd(
  last: NotCreated,
  tries: number,
  order: CopyOrder,
  step: Step,
  deps: CopyDeps,
): Promise<CopyResult | null> {
  switch (last.kind) {
    case 'lost':
      if (last.isOfTheMoment && tries < MOST_LOSSES) return null;
      throw last.error;
    case 'record_refused':
      if (tries < MOST_REFUSALS) return null;
      return { kind: 'record_refused', end: { outcome: 'LENDING_REFUSED' } };
    case 'there':
      if (!isRaceForLogin(last.because) || tries >= MOST_RACES) {
        return notThere(order, last.because, step, deps);
      }
      await pauseAfter(tries, step, deps);
      return null;
    default:
      return last satisfies never;
  }
}

/** Half of each pause is jitter, so that whoever was in our way is not met again. */
function pauseAfter(tries: number, { pause }: Step, { random }: CopyDeps): Promise<void> {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
  return pause(Math.round(longest * (0.5 + random() / 2)));
}

/** What Koha says of a create when it has the card, the home key or a possible duplicate already. */
type There = Exclude<CreateResult, { kind: 'created' | 'refused' }>;

/** We send no login: Koha made one from the names, and a namesake created at the same moment was faster. */
const isRaceForLogin = ({ kind }: There): boolean => kind === 'userid_taken';

type NotCreated =
  | { readonly kind: 'there'; readonly because: There }
  | { readonly kind: 'record_refused' }
  | { readonly kind: 'lost'; readonly error: KohaError; readonly isOfTheMoment: boolean };

type Created = { readonly kind: 'end'; readonly result: CopyResult } | NotCreated;

/** One create at the library at a time. The first one is noted as sent, with all that is needed for it, before it leaves. */
async function createInPlace(
  order: CopyOrder,
  step: Step,
  { createAccess, scan, patronLock, noteSent, nothingLeft }: CopyDeps,
  isFirst: boolean,
): Promise<Created | Extract<CopyResult, { kind: 'busy' }>> {
  const work = (): Promise<Created> => create(order, step, isFirst ? nothingLeft : null);
  for (;;) {
    const placed = await createAccess.within(scan, step.signal, work, isFirst ? noteSent : undefined);
    if (placed.kind === 'done') return placed.value;
    if (placed.kind === 'busy') return placed;
    await patronLock.take(); // waits for it outside of the line
  }
}

/** `nothingLeft` is called where the body did not leave. */
async function create(order: CopyOrder, step: Step, nothingLeft: (() => void) | null): Promise<Created> {
  const { lending, branch, body } = order;
  const confirmNotDuplicate = order.onLookAlike === 'create';
  step.assertHeld();
  const sentAt = step.monotonicNow();
  try {
    const answer = await step.call(lending, (koha) =>
      koha.createPatron(body, { branch, confirmNotDuplicate }, { signal: step.signal }),
    );
    switch (answer.kind) {
      case 'created':
        return { kind: 'end', result: created(order, answer.patronId, answer.hidden) };
      case 'refused':
        return { kind: 'end', result: misconfigured(lending, answer) };
      default:
        return { kind: 'there', because: answer };
    }
  } catch (error) {
    if (!mayHaveLeft(error)) nothingLeft?.();
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    if (error.code === 'record_refused') return { kind: 'record_refused' };
    return { kind: 'lost', error, isOfTheMoment: isOfTheMoment(error, step.monotonicNow() - sentAt) };
  }
}

/** Whether the body of a create that failed may have left: somebody answered it, or nobody knows how far it got. */
const mayHaveLeft = (error: unknown): boolean =>
  error instanceof KohaError &&
  error.operation === 'POST /patrons' &&
  (error.status !== null || error.effect === 'unknown');

function created(
  { lending, home, homeKey, fields }: CopyOrder,
  patronId: number,
  hidden: boolean,
): CopyResult {
  if (!hidden) {
    const made = { outcome: 'COPIED', home, home_key: homeKey, patron_id: patronId } as const;
    return { kind: 'copied', made: { ...made, reasons: [], disclosed: [...fields] } };
  }
  // A 201 with a body of nulls: the copy is there, but this API user will never find it again.
  const problem = { library: lending, what: 'permission', name: SEE_ALL } as const;
  return { kind: 'misconfigured', end: { outcome: 'MISCONFIGURED', problem, patronId } };
}

/** Koha says that it is there, and we do not find it. A second look separates what is hidden from what was only being made. */
async function notThere(order: CopyOrder, because: There, step: Step, deps: CopyDeps): Promise<CopyResult> {
  if (because.kind === 'possible_duplicate') {
    return { kind: 'look_alike', end: { outcome: 'LOOKS_LIKE_LOCAL_PATRON' } };
  }
  if (because.kind === 'userid_taken') return misconfigured(order.lending, { what: 'other', name: 'userid' });
  if (because.kind === 'attribute_not_unique' && because.type !== order.homeKeyAttribute) {
    return misconfigured(order.lending, { what: 'attribute_type', name: because.type });
  }
  await pauseAfter(1, step, deps);
  const found = await findLocalCopy(order, step, false);
  if (found !== null) return found;
  // Koha's database forgives accents, cases and blanks where we do not: then it is somebody, and somebody else.
  if (await isTakenByCollation(order, because, step)) return CONFLICT;
  return misconfigured(order.lending, { what: 'permission', name: SEE_ALL });
}

function isTakenByCollation(
  { lending, body, homeKey, homeKeyAttribute }: CopyOrder,
  { kind }: There,
  { call, signal }: Step,
): Promise<boolean> {
  return call(lending, (koha) =>
    kind === 'attribute_not_unique' && homeKeyAttribute !== null
      ? koha.isAttributeTaken(homeKeyAttribute, homeKey, { signal })
      : koha.isCardTaken(body.cardnumber, { signal }),
  );
}
