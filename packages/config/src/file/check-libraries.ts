import { type Path, type ProblemList, formatPath, repeats } from '../problems/config-error.ts';
import { formatDuration } from '../keys/duration.ts';
import type { Library } from '../schema/library-schema.ts';
import { faultOfClientSecret, faultOfWebhookSecret } from '../secrets/secret-strength.ts';

/** An entry of `libraries` as it was read, to be checked. */
export interface LibraryDraft {
  readonly at: Path;
  readonly library: Library;
}

type Report = (path: Path, problem: string, allowed?: string) => void;

/** What does not go together within one library. */
function checkLibrary({ koha, retry, copy, share, ...library }: Library, report: Report): void {
  const limits = { checkout_within: retry.checkoutWithinMs, give_up_after: retry.giveUpAfterMs };
  for (const [key, ms] of Object.entries(limits)) {
    if (koha.timeoutMs < ms || (key === 'checkout_within' && !retry.checkout)) continue;
    const what = `is ${formatDuration(koha.timeoutMs)}: a single call could outlast retry.${key}`;
    report(['koha', 'timeout'], what, `shorter than ${formatDuration(ms)}`);
  }
  const ownType = 'an attribute type of its own';
  if (copy.homeKeyAttribute === copy.passportAttribute)
    report(['copy', 'home_key_attribute'], 'is the same as passport_attribute', ownType);
  if (share.optOutAttribute === copy.passportAttribute)
    report(['share', 'opt_out_attribute'], 'is the same as copy.passport_attribute', ownType);
  if (library.refresh?.sweep === null && !library.refresh.atScan)
    report(['refresh'], 'says not when', 'sweep, at_scan: true, or off');
  if (library.standing !== 'off' && library.refresh === null)
    report(['standing'], 'needs refresh, which says when', 'off');
  // The copy would have the date that has passed: nobody could borrow with it.
  if (library.eligibility.expired === 'allow' && copy.expiry.kind !== 'category')
    report(['copy', 'expiry'], "never goes beyond home's date, and eligibility.expired is allow", 'category');
  if (library.eligibility.restricted === 'allow' && copy.mode !== 'observe') {
    // A copy without the restriction could borrow where its patron cannot.
    const carries = 'is allow, which carries the restriction into the copy:';
    if (!retry.tellKoha)
      report(['eligibility', 'restricted'], `${carries} it needs retry.tell_koha, and the plugin`, 'refuse');
    if (copy.consent !== null)
      report(['eligibility', 'restricted'], `${carries} nobody agrees to that with copy.consent`, 'refuse');
  }
  for (const key of ['refresh', 'owed'] as const) {
    if (library[key] === null) continue;
    // What is done to copies after they were made needs to know them, and the plugin.
    const lacking = copy.homeKeyAttribute === null ? 'copy.home_key_attribute' : 'retry.tell_koha';
    if (copy.homeKeyAttribute === null || !retry.tellKoha)
      report([key], `needs ${lacking}, and the plugin`, 'off');
    // Both write: into the copies, and where agreements say so at the home library.
    if (copy.mode === 'observe') report([key], 'writes, and copy.mode is observe', 'off');
  }
  if (library.loans !== null && !retry.tellKoha)
    report(['loans'], 'needs retry.tell_koha, and the plugin', 'off');
  if (copy.consent !== null && copy.consent.withinMs >= retry.giveUpAfterMs) {
    const what = `is ${formatDuration(copy.consent.withinMs)}: the event is given up before`;
    const allowed = `shorter than ${formatDuration(retry.giveUpAfterMs)} (retry.give_up_after)`;
    report(['copy', 'consent_within'], what, allowed);
  }
  if (copy.category === null && library.webhookSecrets.length > 0) {
    const why = 'a library with webhook_secrets is a lending library, and its copies need a category';
    report(['copy', 'category'], `is missing: ${why}`);
  }
  if (copy.category?.kind === 'by_home_category') {
    const { map, otherwise } = copy.category;
    const allowed = 'at least one entry in by_home_category, or otherwise';
    if (Object.keys(map).length === 0 && otherwise === null)
      report(['copy', 'category'], 'gives no category at all', allowed);
  }
}

function checkSecrets({ koha, webhookSecrets }: Library, report: Report): void {
  const fault = faultOfClientSecret(koha.clientSecret, koha.clientId);
  const allowed = "the secret that Koha's page of API keys gives";
  if (fault !== null) report(['koha', 'client_secret'], fault, allowed);
  const second = new Map(repeats(webhookSecrets.map((secret) => secret.reveal())));
  for (const [place, secret] of webhookSecrets.entries()) {
    const what = second.has(place) ? 'is the same as one before it' : faultOfWebhookSecret(secret);
    if (what !== null) report(['webhook_secrets', place], what, 'what `passport secret new` prints');
  }
}

/**
 * A secret belongs to one library: two that sign with one can sign as each other, and who learns the key of one Koha has
 * the other. Secrets that this process does not read are empty and compared by whoever reads them.
 */
function checkSharedSecrets(drafts: readonly LibraryDraft[], problems: ProblemList): void {
  const secrets = drafts.flatMap(({ at, library: { koha, webhookSecrets } }) => [
    { owner: at, at: [...at, 'koha', 'client_secret'], text: koha.clientSecret.reveal() },
    ...webhookSecrets.map((secret, place) => {
      return { owner: at, at: [...at, 'webhook_secrets', place], text: secret.reveal() };
    }),
  ]);
  for (const [place, first] of repeats(secrets.map(({ text }) => text))) {
    const [here, before] = [secrets[place], secrets[first]];
    if (here === undefined || before === undefined || here.owner === before.owner) continue;
    problems.add(here.at, `is a secret of ${formatPath(before.owner)}, too`, 'a secret of its own');
  }
}

/** Without a home key nobody finds the copy that was made of another form of the same card, and there would be one for each. */
function checkCardForms(drafts: readonly LibraryDraft[], problems: ProblemList): void {
  const home = drafts.find(({ library }) => library.cards.some((form) => !(form instanceof RegExp)))?.library;
  if (home === undefined) return;
  for (const { at, library } of drafts) {
    const isLending = library.webhookSecrets.length > 0 && library.id !== home.id;
    if (!isLending || library.copy.homeKeyAttribute !== null) continue;
    const what = `is null, and cards of ${home.id} are scanned in several forms: a patron could get a copy for each`;
    problems.add([...at, 'copy', 'home_key_attribute'], what, 'an attribute type of its own');
  }
}

/** Reports what is wrong between the keys of one library, and between libraries. */
export function checkLibraries(drafts: readonly LibraryDraft[], problems: ProblemList): void {
  for (const { at, library } of drafts) {
    const report: Report = (path, problem, allowed) => problems.add([...at, ...path], problem, allowed);
    checkSecrets(library, report);
    checkLibrary(library, report);
  }
  checkSharedSecrets(drafts, problems);
  checkCardForms(drafts, problems);
  // Koha compares attribute values without regard to case, so that `Midland` and `midland` would be one passport.
  for (const [place, first] of repeats(drafts.map(({ library }) => library.id.toLowerCase()))) {
    const what = `is the same as libraries[${first}].id`;
    problems.add(['libraries', place, 'id'], what, 'an id of its own, other than by case');
  }
  for (const [place, first] of repeats(drafts.map(({ library }) => library.koha.url))) {
    const what = `is the same as libraries[${first}].koha.url`;
    problems.add(['libraries', place, 'koha', 'url'], what, 'one entry for each Koha');
  }
}
