import {
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  type EventState,
  type Progress,
  type WaitingReason,
} from './outcome.ts';

const REASON_TEXT: Record<EligibilityReason, string> = {
  EXPIRED: 'the membership has expired',
  RESTRICTED: 'the patron is restricted',
  CARD_LOST: 'the card is reported lost',
  ADDRESS_UNCONFIRMED: 'the address needs to be confirmed',
  DEBT_OVER_LIMIT: 'too much is owed',
  UNDER_AGE: 'the patron is too young',
  CATEGORY_NOT_ELIGIBLE: 'this kind of patron cannot borrow here',
  UNVERIFIABLE: 'a needed fact is missing',
  INCOMPLETE_RECORD: 'the record has no name',
};

const WAITING_TEXT: Record<WaitingReason, (library: string, nextTryAt: string) => string> = {
  NO_ANSWER: (library) => `${library} has not answered yet. Still trying.`,
  CIRCUIT_OPEN: (library) => `${library} cannot be reached just now. Still trying.`,
  BUSY: (library) => `${library} is busy. Still trying.`,
  RATE_LIMITED: (library) => `${library} requested a pause. Still trying.`,
  LIMIT_REACHED: (library) => `${library} has reached its hourly limit. Waiting.`,
  SERVICE_UPDATE: () => 'The passport service is being updated. Still trying.',
  PAUSED: (library, until) => `${library} is paused until ${minuteOf(until)}. Register by hand, or wait.`,
};

/** `2026-11-26 14:00 UTC`; whoever shows it in another way has the field. */
const minuteOf = (iso: string): string =>
  `${new Date(iso).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ')} UTC`;

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;

/**
 * The English sentence for the desk (contract section 2, Outcomes). `nameOf` gives a library's name as staff know it.
 * Everything another language needs is in the other fields of the state.
 */
export function messageOf(
  progress: Omit<Progress, 'state'> & Pick<EventState, 'state'>,
  library: string,
  nameOf: (libraryId: string) => string,
): string {
  const homes = listed(progress.homes.map((home) => home.name));
  switch (progress.outcome) {
    case null:
      return unfinished(progress, nameOf);
    case 'COPIED':
      return `Found at ${homes}. You can check out now.`;
    case 'ALREADY_LOCAL':
      return 'This patron is already here. You can check out now.';
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
    case 'HOME_UNREACHABLE':
      if (progress.reasons.includes('PAUSED'))
        return `${homes} ${progress.homes.length === 1 ? 'is' : 'are'} paused. Try again later, or register by hand.`;
      return `${homes} did not answer. Try again later, or register by hand.`;
    case 'LENDING_UNREACHABLE':
      return `${nameOf(library)} did not answer.`;
    case 'LENDING_REFUSED':
      return `${nameOf(library)} could not store this patron. Register by hand.`;
    case 'MISCONFIGURED':
      return `The passport service is not set up correctly for ${nameOf(progress.problem?.library ?? library)}.`;
    case 'TOO_LATE':
      return progress.reasons.includes('PAUSED')
        ? `${nameOf(library)} is paused. Try again later, or register by hand.`
        : 'This scan was too old to be processed.';
    default:
      return progress.outcome satisfies never;
  }
}

function observed({ observed: what }: Pick<Progress, 'observed'>, homes: string): string {
  const category = what?.category ?? null;
  const would =
    category === null
      ? 'the copy that is here would have been updated'
      : `the patron would have been copied as ${category}`;
  return `Found at ${homes}. The service only observes here: ${would}. Register by hand.`;
}

function notEligible(progress: Pick<Progress, 'reasons'>, homes: string): string {
  const reasons = ELIGIBILITY_REASONS.filter((reason) => progress.reasons.includes(reason));
  return reasons.length === 0
    ? `Found at ${homes}, but not eligible to borrow here.`
    : `Found at ${homes}, but: ${reasons.map((reason) => REASON_TEXT[reason]).join('; ')}.`;
}

function cancelled({ patron_id: patronId, homes }: Pick<Progress, 'patron_id' | 'homes'>): string {
  if (patronId !== null) return 'Cancelled. The copy was already made; nothing was checked out.';
  return homes.length === 0
    ? 'Cancelled: nothing was written.'
    : 'Cancelled. The copy was on its way and may have been made; nothing was checked out.';
}

function unfinished(
  progress: Pick<EventState, 'state' | 'waiting_for'>,
  nameOf: (libraryId: string) => string,
): string {
  if (progress.waiting_for === null) {
    return progress.state === 'working' ? 'Searching at the partner libraries.' : 'Waiting in the queue.';
  }
  const { library, reason, next_try_at: nextTryAt } = progress.waiting_for;
  return WAITING_TEXT[reason](nameOf(library), nextTryAt);
}
