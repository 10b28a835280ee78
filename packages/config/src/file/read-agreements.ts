import type { LibraryDraft } from './check-libraries.ts';
import { readEntry, type Reading } from './read-section.ts';
import { type Path, repeats } from '../problems/config-error.ts';
import { reportNoLibrary } from '../problems/nearest.ts';
import { deepFreeze } from '../keys/frozen.ts';
import {
  type Agreement,
  type Agreements,
  agreementSchema,
  crossAgreements,
  indexAgreements,
} from '../agreements/agreements.ts';

const canCheckOut = ({ library: { enabled, webhookSecrets, copy } }: LibraryDraft): boolean =>
  enabled && webhookSecrets.length > 0 && copy.category !== null;

/** `agreements: all`: every ordered pair that can work. */
export function agreeAll(drafts: readonly LibraryDraft[]): Agreements {
  const enabled = drafts.filter(({ library }) => library.enabled);
  const idOf = ({ library }: LibraryDraft): string => library.id;
  return crossAgreements(enabled.map(idOf), enabled.filter(canCheckOut).map(idOf));
}

/** A patron is restricted at home by what is read at the lending library, through the plugin at home. */
function checkBlock(at: Path, home: LibraryDraft, lending: LibraryDraft, { problems }: Reading): void {
  if (lending.library.owed === null) {
    problems.add(at, `needs owed at ${lending.library.id}`, 'report');
  }
  if (!home.library.retry.tellKoha) {
    problems.add(at, `needs retry.tell_koha at ${home.library.id}, and the plugin`, 'report');
  }
}

/** One agreement, after everything wrong with it was reported; null where it cannot work. */
function readAgreement(
  raw: unknown,
  at: Path,
  drafts: ReadonlyMap<string, LibraryDraft>,
  reading: Reading,
): { readonly agreement: Agreement; readonly works: boolean } | null {
  const { problems } = reading;
  const agreement = readEntry(agreementSchema, raw, at, reading);
  const [home, lending] = (['home', 'lending'] as const).map((side) => {
    const id = agreement[side];
    if (id !== '' && !drafts.has(id)) reportNoLibrary(id, [...drafts.keys()], [...at, side], problems);
    return drafts.get(id);
  });
  if (home !== undefined && home === lending) {
    problems.add([...at, 'lending'], 'is the same as home', 'another library');
  }
  if (lending?.library.webhookSecrets.length === 0) {
    const what = 'has no webhook_secrets, so it cannot report a card';
    problems.add([...at, 'lending'], what, 'a library with webhook_secrets');
  }
  if (home === undefined || lending === undefined) return null;
  if (agreement.blockHomeOver !== null) checkBlock([...at, 'recourse'], home, lending, reading);
  return { agreement, works: home.library.enabled && canCheckOut(lending) };
}

/** A list of agreements: those that can work, after everything wrong was reported. */
export function readAgreementList(
  raws: readonly unknown[],
  drafts: readonly LibraryDraft[],
  reading: Reading,
): Agreements {
  const byId = new Map(drafts.map((draft) => [draft.library.id, draft]));
  byId.delete('');
  const read = raws.map((raw, place) => readAgreement(raw, ['agreements', place], byId, reading));
  const pairs = read.map((entry) =>
    entry === null ? '' : `${entry.agreement.home}:${entry.agreement.lending}`,
  );
  for (const [place, first] of repeats(pairs)) {
    const what = `is the same pair as agreements[${first}]`;
    reading.problems.add(['agreements', place], what, 'one entry for each pair and direction');
  }
  return indexAgreements(
    deepFreeze(read.flatMap((entry) => (entry?.works === true ? [entry.agreement] : []))),
  );
}
