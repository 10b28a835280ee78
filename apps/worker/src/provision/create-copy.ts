import { type CreateResult, KohaError, type Person } from '@passport/koha-client';
import { comparedFields } from '@passport/patron-rules';
import { isTransient } from '../koha/transient.ts';
import { wasNotSent } from '../koha/koha-failure.ts';
import { configuredCodes, confirmName } from './confirm-name.ts';
import type { ProvisionContext } from './context.ts';
import type { CopyOrder } from './copy-order.ts';
import type { CreatePlaceBusy, TakeWithPlace } from './create-access.ts';
import { type CopyOutcome, SEE_ALL, misconfigured } from './result.ts';
import type { Scan } from './scan.ts';
import type { Step } from './step.ts';

/** What Koha says of a create when it has the card, the home key or a possible duplicate already. */
export type There = Exclude<CreateResult, { kind: 'created' | 'refused' }>;

/** Nothing is known to be made: a look for the copy says whether to try again. */
export type NotCreated =
  | { readonly kind: 'found_there'; readonly because: There }
  | { readonly kind: 'record_refused' }
  | { readonly kind: 'lost'; readonly error: KohaError; readonly isTransient: boolean };

/** Nothing was sent: the service has a copy on record, and nobody has looked for it. */
interface CopyOnRecord {
  readonly kind: 'on_record';
}

/**
 * One create at the library at a time. The first one is noted as sent, in the job and in the audit, with all that is needed for it,
 * before it leaves.
 */
export async function createCopy(
  scan: Scan,
  order: CopyOrder,
  step: Step,
  isFirst: boolean,
  { createAccess, audit }: Pick<ProvisionContext, 'createAccess' | 'audit'>,
): Promise<CopyOutcome | NotCreated | CreatePlaceBusy | CopyOnRecord> {
  const { lock, patronLock } = step;
  const work = async (): Promise<CopyOutcome | NotCreated> => {
    if (!isFirst) await step.assertWanted();
    return create(order, step, isFirst);
  };
  const unlessCopyOf = order.lookFirst === null ? order.homeKey : null;
  const { home, homeKey: home_key, fields } = order;
  const sent = { home, home_key, fields: [...fields] };
  const take: TakeWithPlace = async (place) => {
    const claimed = await patronLock.takeWith((wish) =>
      lock.noteSent(sent, { ...place, unlessCopyOf, patronLock: wish }),
    );
    if (claimed === 'taken') audit.sending(scan, order);
    return claimed;
  };
  for (;;) {
    const placed = await createAccess.within(order, step.signal, work, isFirst ? take : undefined);
    if (placed.kind === 'done') return placed.value;
    if (placed.kind !== 'patron_busy') return placed;
    await patronLock.take(); // waits for it outside of the line
  }
}

/**
 * Where the first body did not leave after all, what was noted of it is taken back. A Koha that does not look for possible duplicates by
 * itself is searched for one before it; where there is one, whoever called finds out whether it is our own copy.
 */
async function create(order: CopyOrder, step: Step, isFirst: boolean): Promise<CopyOutcome | NotCreated> {
  const { lending, branch, body } = order;
  const confirmNotDuplicate = order.onLookAlike === 'create';
  const person = isFirst ? order.searchFor : null;
  const notLeft = (): void => {
    if (isFirst) step.lock.narrowSent(person === null ? [] : comparedFields(person));
  };
  let sentAt = step.monotonicNow();
  let isSending = false;
  try {
    if (person !== null) {
      if (await isThere(order, person, step)) {
        notLeft();
        return { kind: 'found_there', because: { kind: 'possible_duplicate' } };
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
        return created(order, answer);
      case 'refused':
        return misconfigured(lending, await confirmName(lending, answer, configuredCodes(order), step));
      default:
        return { kind: 'found_there', because: answer };
    }
  } catch (error) {
    if (!isSending || !mayHaveLeft(error)) notLeft();
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    if (error.code === 'record_refused') return { kind: 'record_refused' };
    return { kind: 'lost', error, isTransient: isTransient(error, step.monotonicNow() - sentAt) };
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
  { patronId, hidden, privacy }: Extract<CreateResult, { kind: 'created' }>,
): CopyOutcome {
  if (!hidden) {
    const made = { outcome: 'COPIED', home, home_key: homeKey, patron_id: patronId } as const;
    return { kind: 'there', made: { ...made, reasons: [], disclosed: [...fields] }, privacy };
  }
  // A 201 with a body of nulls: the copy is there, but this API user will never find it again.
  return { ...misconfigured(lending, { what: 'permission', name: SEE_ALL }), patronId };
}
