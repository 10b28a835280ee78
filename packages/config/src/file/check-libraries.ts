import { type Path, type ProblemList, formatPath } from '../problems/config-error.ts';
import { formatDuration } from '../schema/duration.ts';
import type { Library } from '../schema/library-schema.ts';
import { faultOfClientSecret, faultOfWebhookSecret } from '../secrets/secret-strength.ts';

/** An entry of `libraries` as it was read, to be checked. */
export interface LibraryDraft {
  readonly at: Path;
  readonly library: Library;
}

function checkTimes({ at, library: { koha, retry } }: LibraryDraft, problems: ProblemList): void {
  const limits = [
    ...(retry.checkout ? [['checkout_within', retry.checkoutWithinMs] as const] : []),
    ['give_up_after', retry.giveUpAfterMs] as const,
  ];
  for (const [key, ms] of limits) {
    if (koha.timeoutMs < ms) continue;
    const what = `is ${formatDuration(koha.timeoutMs)}: a single call could outlast retry.${key}`;
    problems.add([...at, 'koha', 'timeout'], what, `shorter than ${formatDuration(ms)}`);
  }
}

function checkAttributes({ at, library: { copy, share } }: LibraryDraft, problems: ProblemList): void {
  const allowed = 'an attribute type of its own';
  if (copy.homeKeyAttribute === copy.passportAttribute) {
    problems.add([...at, 'copy', 'home_key_attribute'], 'is the same as passport_attribute', allowed);
  }
  if (share.optOutAttribute === copy.passportAttribute) {
    problems.add([...at, 'share', 'opt_out_attribute'], 'is the same as copy.passport_attribute', allowed);
  }
}

function checkRefresh({ at, library: { refresh } }: LibraryDraft, problems: ProblemList): void {
  if (refresh === null || refresh.sweep !== null || refresh.atScan) return;
  problems.add([...at, 'refresh'], 'says not when', 'sweep, at_scan: true, or off');
}

/** What is done to copies after they were made needs to know them, and the plugin. */
function checkCopiesAreKnown({ at, library }: LibraryDraft, problems: ProblemList): void {
  const { copy, retry } = library;
  if (copy.homeKeyAttribute !== null && retry.tellKoha) return;
  const missing = copy.homeKeyAttribute === null ? 'copy.home_key_attribute' : 'retry.tell_koha';
  for (const key of ['refresh', 'owed'] as const) {
    if (library[key] !== null) problems.add([...at, key], `needs ${missing}, and the plugin`, 'off');
  }
}

/** Both write: into the copies, and where agreements say so at the home library. */
function checkObserving({ at, library }: LibraryDraft, problems: ProblemList): void {
  if (library.copy.mode !== 'observe') return;
  for (const key of ['refresh', 'owed'] as const) {
    if (library[key] !== null) problems.add([...at, key], 'writes, and copy.mode is observe', 'off');
  }
}

function checkConsent({ at, library: { copy, retry } }: LibraryDraft, problems: ProblemList): void {
  if (copy.consent === null || copy.consent.withinMs < retry.giveUpAfterMs) return;
  const what = `is ${formatDuration(copy.consent.withinMs)}: the event is given up before`;
  const allowed = `shorter than ${formatDuration(retry.giveUpAfterMs)} (retry.give_up_after)`;
  problems.add([...at, 'copy', 'consent_within'], what, allowed);
}

function checkCategory({ at, library }: LibraryDraft, problems: ProblemList): void {
  const place = [...at, 'copy', 'category'];
  const { category } = library.copy;
  if (category === null && library.webhookSecrets.length > 0) {
    problems.add(
      place,
      'is missing: a library with webhook_secrets is a lending library, and its copies need a category',
    );
  }
  if (
    category?.kind === 'by_home_category' &&
    Object.keys(category.map).length === 0 &&
    category.otherwise === null
  ) {
    problems.add(place, 'gives no category at all', 'at least one entry in by_home_category, or otherwise');
  }
}

function checkSecrets({ at, library: { koha, webhookSecrets } }: LibraryDraft, problems: ProblemList): void {
  const fault = faultOfClientSecret(koha.clientSecret, koha.clientId);
  const allowed = "the secret that Koha's page of API keys gives";
  if (fault !== null) problems.add([...at, 'koha', 'client_secret'], fault, allowed);
  const texts = webhookSecrets.map((secret) => secret.reveal());
  for (const [place, secret] of webhookSecrets.entries()) {
    const text = secret.reveal();
    const isSecond = text !== '' && texts.indexOf(text) < place;
    const what = isSecond ? 'is the same as one before it' : faultOfWebhookSecret(secret);
    if (what !== null) {
      problems.add([...at, 'webhook_secrets', place], what, 'what `passport secret new` prints');
    }
  }
}

function checkUnique(
  drafts: readonly LibraryDraft[],
  { key, of, what }: { key: readonly string[]; of: (draft: LibraryDraft) => string; what: string },
  problems: ProblemList,
): void {
  const first = new Map<string, LibraryDraft>();
  for (const draft of drafts) {
    const value = of(draft);
    const other = first.get(value);
    if (value !== '' && other !== undefined) {
      problems.add([...draft.at, ...key], `is the same as ${formatPath([...other.at, ...key])}`, what);
    }
    if (other === undefined) first.set(value, draft);
  }
}

/**
 * A secret belongs to one library: two that sign with one can sign as each other, and who learns the key of one Koha has
 * the other. Secrets that this process does not read are empty and compared by whoever reads them.
 */
function checkSharedSecrets(drafts: readonly LibraryDraft[], problems: ProblemList): void {
  const secretsOf = ({ at, library }: LibraryDraft) => [
    { at: [...at, 'koha', 'client_secret'], secret: library.koha.clientSecret },
    ...library.webhookSecrets.map((secret, place) => ({ at: [...at, 'webhook_secrets', place], secret })),
  ];
  const owners = new Map<string, LibraryDraft>();
  for (const draft of drafts) {
    for (const { at, secret } of secretsOf(draft)) {
      const owner = owners.get(secret.reveal());
      if (secret.reveal() === '') continue;
      if (owner !== undefined && owner !== draft) {
        problems.add(at, `is a secret of ${formatPath([...owner.at])}, too`, 'a secret of its own');
      }
      owners.set(secret.reveal(), owner ?? draft);
    }
  }
}

/** Reports what is wrong between the keys of one library, and between libraries. */
export function checkLibraries(drafts: readonly LibraryDraft[], problems: ProblemList): void {
  for (const draft of drafts) {
    checkSecrets(draft, problems);
    checkTimes(draft, problems);
    checkAttributes(draft, problems);
    checkRefresh(draft, problems);
    checkCopiesAreKnown(draft, problems);
    checkObserving(draft, problems);
    checkConsent(draft, problems);
    checkCategory(draft, problems);
  }
  checkSharedSecrets(drafts, problems);
  // Koha compares attribute values without regard to case, so that `Midland` and `midland` would be one passport.
  const id = { key: ['id'], of: ({ library }: LibraryDraft) => library.id.toLowerCase() };
  checkUnique(drafts, { ...id, what: 'an id of its own, other than by case' }, problems);
  const url = { key: ['koha', 'url'], of: ({ library }: LibraryDraft) => library.koha.url };
  checkUnique(drafts, { ...url, what: 'one entry for each Koha' }, problems);
}
