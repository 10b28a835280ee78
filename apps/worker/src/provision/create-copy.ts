import { type CreateResult, KohaError, type Person } from '@passport/koha-client';
import type { CreateClaim } from '@passport/queue';
import { comparedFields } from '@passport/patron-rules';
import { isOfTheMoment } from '../koha/of-the-moment.ts';
import { wasNotSent } from '../koha/koha-failure.ts';
import { configuredCodes, confirmName } from './confirm-name.ts';
import type { CopyOrder } from './copy-order.ts';
import { type CopyOutcome, SEE_ALL, misconfigured } from './copy-result.ts';
import type { CreateAccess, CreatePlaceBusy, TakeWithPlace } from './create-access.ts';
import type { PatronLock } from './with-patron-lock.ts';
import type { Claimed } from './scan.ts';
import type { Step } from './step.ts';

export interface CreateDeps {
  readonly createAccess: Pick<CreateAccess, 'within'>;
  readonly patronLock: Pick<PatronLock, 'take'>;
  /** Writes down that the copy is about to be sent, before it is, and takes all that this needs, or nothing. */
  readonly noteSent: (claim: Omit<CreateClaim, 'patronLock'>) => Promise<Claimed>;
  /** Takes that back: no more than these fields was sent after all. */
  readonly onlyLeft: (fields: readonly string[]) => void;
}

/** What Koha says of a create when it has the card, the home key or a possible duplicate already. */
export type There = Exclude<CreateResult, { kind: 'created' | 'refused' }>;

export type NotCreated =
  | { readonly kind: 'there'; readonly because: There }
  | { readonly kind: 'record_refused' }
  | { readonly kind: 'lost'; readonly error: KohaError; readonly isOfTheMoment: boolean };

type Created = { readonly kind: 'end'; readonly result: CopyOutcome } | NotCreated;

/** Nothing was sent: the service has a copy on record, and nobody has looked for it. */
interface CopyOnRecord {
  readonly kind: 'on_record';
}

/** One create at the library at a time. The first one is noted as sent, with all that is needed for it, before it leaves. */
export async function createCopy(
  order: CopyOrder,
  step: Step,
  isFirst: boolean,
  { createAccess, patronLock, noteSent, onlyLeft }: CreateDeps,
): Promise<Created | CreatePlaceBusy | CopyOnRecord> {
  const work = async (): Promise<Created> => {
    if (!isFirst) await step.assertWanted();
    return create(order, step, isFirst ? onlyLeft : null);
  };
  const unlessCopyOf = order.lookFirst === null ? order.homeKey : null;
  const take: TakeWithPlace = (place) => noteSent({ ...place, unlessCopyOf });
  for (;;) {
    const placed = await createAccess.within(order, step.signal, work, isFirst ? take : undefined);
    if (placed.kind === 'done') return placed.value;
    if (placed.kind !== 'patron_busy') return placed;
    await patronLock.take(); // waits for it outside of the line
  }
}

/**
 * `onlyLeft` is called where the body did not leave. With it, a Koha that does not look for possible duplicates by itself is searched
 * for one first; where there is one, whoever called finds out whether it is our own copy.
 */
async function create(
  order: CopyOrder,
  step: Step,
  onlyLeft: CreateDeps['onlyLeft'] | null,
): Promise<Created> {
  const { lending, branch, body } = order;
  const confirmNotDuplicate = order.onLookAlike === 'create';
  const person = onlyLeft === null ? null : order.searchFor;
  const searched = person === null ? [] : comparedFields(person);
  let sentAt = step.monotonicNow();
  let isSending = false;
  try {
    if (person !== null) {
      if (await isThere(order, person, step)) {
        onlyLeft?.(searched);
        return { kind: 'there', because: { kind: 'possible_duplicate' } };
      }
      // The search may have taken its time.
      await step.assertWanted();
    }
    step.assertHeld();
    sentAt = step.monotonicNow();
    isSending = true;
    const answer = await step.call(lending, (koha) =>
      koha.createPatron(body, { branch, confirmNotDuplicate }, { signal: step.signal }),
    );
    switch (answer.kind) {
      case 'created':
        return { kind: 'end', result: created(order, answer.patronId, answer.hidden) };
      case 'refused':
        return {
          kind: 'end',
          result: misconfigured(lending, await confirmName(lending, answer, configuredCodes(order), step)),
        };
      default:
        return { kind: 'there', because: answer };
    }
  } catch (error) {
    if (!isSending || !mayHaveLeft(error)) onlyLeft?.(searched);
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    if (error.code === 'record_refused') return { kind: 'record_refused' };
    return { kind: 'lost', error, isOfTheMoment: isOfTheMoment(error, step.monotonicNow() - sentAt) };
  }
}

async function isThere({ lending }: CopyOrder, person: Person, step: Step): Promise<boolean> {
  step.assertHeld();
  return step.read(lending, (koha, limits) => koha.hasPossibleDuplicate(person, limits));
}

/** Whether the body of a create that failed may have left; Koha's description is read before it. */
const mayHaveLeft = (error: unknown): boolean =>
  !wasNotSent(error) && !(error instanceof KohaError && error.operation === 'GET /');

function created(
  { lending, home, homeKey, fields }: CopyOrder,
  patronId: number,
  hidden: boolean,
): CopyOutcome {
  if (!hidden) {
    const made = { outcome: 'COPIED', home, home_key: homeKey, patron_id: patronId } as const;
    return { kind: 'copied', made: { ...made, reasons: [], disclosed: [...fields] } };
  }
  // A 201 with a body of nulls: the copy is there, but this API user will never find it again.
  const problem = { library: lending, what: 'permission', name: SEE_ALL } as const;
  return { kind: 'misconfigured', end: { outcome: 'MISCONFIGURED', problem, patronId } };
}
