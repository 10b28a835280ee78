import type { EventState, Outcome } from '@passport/contract';

type Advice = string | ((state: EventState) => string) | null;

/** What a person can do about an outcome, in one or two sentences; null when there is nothing to do. One row for each, or it does not compile. */
const ADVICE: Readonly<Record<Outcome, Advice>> = {
  COPIED: null,
  ALREADY_LOCAL: null,
  NOT_FOUND: null,
  NOT_A_CARD: null,
  HOME_GONE:
    'The home library has anonymised this patron. Only the home library can say which number the person has now.',
  AMBIGUOUS_HOME: null,
  NOT_ELIGIBLE: null,
  LOOKS_LIKE_LOCAL_PATRON: null,
  LOCAL_CONFLICT: null,
  MERGED_INTO_NATIVE:
    'The lending Koha merged the copy into one of its own patrons. Its staff decide whose record that is, and remove the passport and the home key from it (docs/koha-setup.md).',
  COPY_ANONYMIZED:
    'Remove the passport and the home key from the anonymised record in the lending Koha (docs/koha-setup.md). The next scan then creates a new copy.',
  OBSERVED:
    'The library only observes (copy.mode in the configuration): nothing was written, and the desk goes on by hand.',
  CANCELLED: null,
  CONSENT_REFUSED: null,
  CONSENT_LAPSED: null,
  CONSENT_AT_DESK: null,
  HOME_UNREACHABLE:
    'Check that these libraries answer (see the overview, or run "passport doctor"), then retry.',
  LENDING_UNREACHABLE:
    'Check that this library answers (see the overview, or run "passport doctor"), then retry.',
  LENDING_REFUSED:
    'Koha could not store the patron and gave no reason. Check its own log at this time, fix the cause, then retry.',
  MISCONFIGURED: adviceOnProblem,
  TOO_LATE:
    'The scan was too old to be processed. Retry only if the patron is still waiting; nothing will be checked out.',
};

/** What a person can do about an event; null when there is nothing to do. */
export function adviceOn(state: EventState): string | null {
  if (state.state === 'waiting') {
    return 'It is retried automatically. Try it now if you know that the library is back.';
  }
  const advice = state.outcome === null ? null : ADVICE[state.outcome];
  return typeof advice === 'function' ? advice(state) : advice;
}

function adviceOnProblem({ problem }: EventState): string {
  if (problem === null) return 'Run "passport doctor", fix what it reports, then retry.';
  const what = problem.name === null ? '' : ` (${problem.name})`;
  const where = `"passport doctor ${problem.library}" says how to fix it. Then retry.`;
  switch (problem.what) {
    case 'credentials':
      return `${problem.library} refuses our API key. Check the client id and secret in its Koha and here. ${where}`;
    case 'permission':
      return `The API user at ${problem.library} lacks a permission${what}. ${where}`;
    case 'category':
      return `The patron category${what} does not exist at ${problem.library}, or none is chosen. ${where}`;
    case 'branch':
      return `The branch${what} does not exist at ${problem.library}. ${where}`;
    case 'attribute_type':
      return `The patron attribute type${what} does not exist at ${problem.library}. ${where}`;
    case 'mandatory_attribute':
      return `${problem.library} requires a patron attribute${what} that a copy does not have. ${where}`;
    case 'record':
      return `The Koha of ${problem.library} fails over one record${what}. Have them correct it, then retry.`;
    case 'other':
      return `${problem.library} refused the copy${what}. ${where}`;
    default:
      return problem.what satisfies never;
  }
}
