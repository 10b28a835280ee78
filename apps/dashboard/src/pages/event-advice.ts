import type { EventState } from '@passport/contract';

/** What a person can do about an event, in one or two sentences; null when there is nothing to do. */
export function adviceOn(state: EventState): string | null {
  if (state.state === 'waiting') {
    return 'It is retried automatically. Try it now if you know that the library is back.';
  }
  switch (state.outcome) {
    case 'MISCONFIGURED':
      return adviceOnProblem(state);
    case 'HOME_UNREACHABLE':
      return 'Check that these libraries answer (see the overview, or run "passport doctor"), then retry.';
    case 'LENDING_UNREACHABLE':
      return 'Check that this library answers (see the overview, or run "passport doctor"), then retry.';
    case 'LENDING_REFUSED':
      return 'Koha could not store the patron and gave no reason. Check its own log at this time, fix the cause, then retry.';
    case 'MERGED_INTO_NATIVE':
      return 'The lending Koha merged the copy into one of its own patrons. Its staff decide whose record that is, and remove the passport and the home key from it (docs/koha-setup.md).';
    case 'COPY_ANONYMIZED':
      return 'Remove the passport and the home key from the anonymised record in the lending Koha (docs/koha-setup.md). The next scan then creates a new copy.';
    case 'HOME_GONE':
      return 'The home library has anonymised this patron. Only the home library can say which number the person has now.';
    case 'TOO_LATE':
      return 'The scan was too old to be processed. Retry only if the patron is still waiting; nothing will be checked out.';
    default:
      return null;
  }
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
    case 'other':
      return `${problem.library} refused the copy${what}. ${where}`;
    default:
      return problem.what satisfies never;
  }
}
