import {
  type CheckoutResult,
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  type EventState,
  type Progress,
  type ShownWaitingReason,
} from './outcome.ts';

/*
 * The plugin's panel says the same in four languages (apps/koha-plugin, desk/messages.json); a test there compares the
 * English sentences with these.
 */

const REASON_TEXT: Record<EligibilityReason, string> = {
  EXPIRED: 'the card has expired',
  RESTRICTED: 'the patron is restricted',
  CARD_LOST: 'the card is reported lost',
  ADDRESS_UNCONFIRMED: 'the address is not confirmed',
  DEBT_OVER_LIMIT: 'the patron owes too much',
  UNDER_AGE: 'the patron is too young',
  CATEGORY_NOT_ELIGIBLE: 'patrons of this category do not borrow elsewhere',
  UNVERIFIABLE: 'a required fact is missing',
  INCOMPLETE_RECORD: 'the record has no name',
};

const WAITING_TEXT: Record<ShownWaitingReason, (library: string, nextTryAt: string | null) => string> = {
  NO_ANSWER: (library) => `No answer yet from ${library}.`,
  CIRCUIT_OPEN: (library) => `No answer for some time from ${library}.`,
  BUSY: (library) => `${library} is busy.`,
  RATE_LIMITED: (library) => `${library} has requested a pause.`,
  LIMIT_REACHED: (library) => `${library} has reached its limit for this hour.`,
  HOME_CHOICE: (homes) => `Several libraries use this card number: ${homes}.`,
  // its state says what a refusal says
  OVERRIDE: (homes) => `Found at ${homes}, but not allowed to borrow here.`,
  CONSENT: (homes) => `Found at ${homes}. The patron must agree before anything is copied.`,
  SERVICE_UPDATE: () => 'The passport service is being updated.',
  PAUSED: (library, until) =>
    `${library} is paused until ${until === null ? 'further notice' : minuteOf(until)}. Register by hand, or wait.`,
  NO_WORKER: () => 'The passport service is stopped at the moment. It keeps this scan until it runs again.',
};

/** `2026-11-26 14:00 UTC`; whoever shows it in another way has the field. */
const minuteOf = (iso: string): string =>
  `${new Date(iso).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ')} UTC`;

/** Why the item is still on the desk although the patron is there; null when it was checked out. */
const NOT_CHECKED_OUT: Record<CheckoutResult, string | null> = {
  CHECKED_OUT: null,
  ALREADY_CHECKED_OUT: null,
  NEEDS_CONFIRMATION: 'The item was not checked out: Koha requires a confirmation.',
  BLOCKED: 'The item cannot be checked out.',
  ITEM_NOT_FOUND: 'The item is not known here.',
  TOO_LATE: 'The item was not checked out: too much time had passed.',
  NO_ANSWER: 'The item may be checked out: Koha has not answered.',
  NOT_ASKED: null,
};

const list = new Intl.ListFormat('en', { type: 'conjunction' });

/**
 * The English sentence for the desk. `nameOf` gives a library's name as staff know it.
 * Everything another language needs is in the other fields of the state.
 */
export function messageOf(
  progress: Omit<Progress, 'state' | 'waiting_for'> & Pick<EventState, 'state' | 'waiting_for'>,
  library: string,
  nameOf: (libraryId: string) => string,
): string {
  const homes = list.format(progress.homes.map((home) => home.name));
  switch (progress.outcome) {
    case null:
      return unfinished(progress, library, nameOf);
    case 'COPIED':
      return notCheckedOut(progress) ?? `Found at ${homes}. You can check out now.`;
    case 'ALREADY_LOCAL':
      return notCheckedOut(progress) ?? 'This patron is already here. You can check out now.';
    case 'NOT_FOUND':
      return 'No partner library knows this card.';
    case 'NOT_A_CARD':
      return "This is not a partner library's card.";
    case 'AMBIGUOUS_HOME':
      return `Several libraries use this card number: ${homes}. Ask the patron, then register by hand.`;
    case 'NOT_ELIGIBLE':
      return notEligible(progress, homes);
    case 'LOOKS_LIKE_LOCAL_PATRON':
      return 'A patron with this name and birth date is already registered here.';
    case 'LOCAL_CONFLICT':
      return 'This card number is taken by another patron here.';
    case 'HOME_GONE':
      return `${homes} no longer keeps this patron's record.`;
    case 'MERGED_INTO_NATIVE':
      return 'The copy of this patron was merged into a patron of this library.';
    case 'COPY_ANONYMIZED':
      return 'The copy of this patron was anonymised here.';
    case 'OBSERVED':
      return observed(progress, homes);
    case 'CANCELLED':
      return cancelled(progress);
    case 'CONSENT_REFUSED':
      return 'The patron did not agree. Nothing was copied.';
    case 'CONSENT_LAPSED':
      return 'The question was not answered in time. Nothing was copied. Scan the card again.';
    case 'CONSENT_AT_DESK':
      return `Found at ${homes}. The patron must agree at the desk first.`;
    case 'HOME_UNREACHABLE':
      if (progress.reasons.includes('PAUSED'))
        return `${homes} ${progress.homes.length === 1 ? 'is' : 'are'} paused. Try again later, or register by hand.`;
      return `${homes} did not answer. Try again later, or register by hand.`;
    case 'LENDING_UNREACHABLE':
      return `${nameOf(library)} did not answer.`;
    case 'LENDING_REFUSED':
      return `${nameOf(library)} could not store this patron. Register by hand.`;
    case 'MISCONFIGURED':
      return misconfigured(progress.problem, nameOf(progress.problem?.library ?? library));
    case 'TOO_LATE':
      return progress.reasons.includes('PAUSED')
        ? `${nameOf(library)} is paused. Try again later, or register by hand.`
        : 'This scan was too old to be processed.';
    default:
      return progress.outcome satisfies never;
  }
}

const notCheckedOut = ({ checkout }: Pick<Progress, 'checkout'>): string | null =>
  checkout === null ? null : NOT_CHECKED_OUT[checkout.result];

const misconfigured = (problem: Progress['problem'], where: string): string =>
  problem?.what === 'record'
    ? `A record at ${where} cannot be read.`
    : `The passport service is not set up correctly for ${where}.`;

function observed({ observed: what }: Pick<Progress, 'observed'>, homes: string): string {
  const category = what?.category ?? null;
  const would = category === null ? 'updated the copy that is here' : `copied the patron as ${category}`;
  return `Found at ${homes}. The service only observes here: it would have ${would}. Register by hand, as before.`;
}

function notEligible(progress: Pick<Progress, 'reasons'>, homes: string): string {
  const reasons = ELIGIBILITY_REASONS.filter((reason) => progress.reasons.includes(reason));
  return reasons.length === 0
    ? `Found at ${homes}, but not allowed to borrow here.`
    : `Found at ${homes}, but: ${list.format(reasons.map((reason) => REASON_TEXT[reason]))}.`;
}

function cancelled({ patron_id: patronId, homes }: Pick<Progress, 'patron_id' | 'homes'>): string {
  if (patronId !== null) return 'The patron is registered here; nothing was checked out.';
  return homes.length === 0
    ? 'Cancelled: nothing was written.'
    : 'Nothing was checked out. The copy was already on its way.';
}

/** While it waits for homes, or for a patron of one, they are all named. */
function unfinished(
  progress: Pick<EventState, 'state' | 'waiting_for' | 'homes' | 'patron_id' | 'reasons'>,
  library: string,
  nameOf: (libraryId: string) => string,
): string {
  const { waiting_for: waitingFor, homes, patron_id: patronId } = progress;
  if (patronId !== null) return 'Copied. The checkout is pending.';
  if (waitingFor === null) {
    return progress.state === 'working' ? 'Searching at the partner libraries.' : 'Waiting in the queue.';
  }
  if (waitingFor.reason === 'OVERRIDE')
    return notEligible(progress, list.format(homes.map(({ name }) => name)));
  const isForPatron = waitingFor.reason === 'CONSENT' || waitingFor.reason === 'HOME_CHOICE';
  const isForHomes = homes.length > 0 && (waitingFor.library !== library || isForPatron);
  const names = isForHomes ? homes.map((home) => home.name) : [nameOf(waitingFor.library)];
  return WAITING_TEXT[waitingFor.reason](list.format(names), waitingFor.next_try_at);
}
