import { crossAgreements, indexAgreements } from './agreements.ts';
import { BUILT_IN_DEFAULTS } from '../file/built-in-defaults.ts';
import { deepFreeze } from '../file/deep-freeze.ts';
import { agreementSchema } from '../file/file-schema.ts';
import type { Agreement, Agreements } from '../file/model.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { readSection, reportMissing } from '../file/read-section.ts';
import { reportNoLibrary } from '../problems/report-no-library.ts';
import type { LibraryDraft } from '../file/read-library.ts';
import { toBlockHomeOver, toCategoryFilter } from '../file/section-models.ts';

const canCheckOut = ({ library, isLending, hasCategory }: LibraryDraft): boolean =>
  library.enabled && isLending && hasCategory;

/** `agreements: all`: every ordered pair that can work. */
export function agreeAll(drafts: readonly LibraryDraft[]): Agreements {
  const enabled = drafts.filter(({ library }) => library.enabled);
  const idOf = ({ library }: LibraryDraft): string => library.id;
  return crossAgreements(enabled.map(idOf), enabled.filter(canCheckOut).map(idOf));
}

interface Reading {
  readonly drafts: ReadonlyMap<string, LibraryDraft>;
  readonly problems: ProblemList;
}

function findLibrary(id: string | undefined, at: Path, { drafts, problems }: Reading): LibraryDraft | null {
  const draft = id === undefined ? undefined : drafts.get(id);
  if (id !== undefined && draft === undefined) {
    reportNoLibrary(id, [...drafts.keys()], at, problems);
  }
  return draft ?? null;
}

/** A patron is restricted at home by what is read at the lending library, through the plugin at home. */
function checkBlock(at: Path, home: LibraryDraft, lending: LibraryDraft, problems: ProblemList): void {
  if (lending.library.owed === null) {
    problems.add(at, `needs owed at ${lending.library.id}`, 'report');
  }
  if (!home.library.retry.tellKoha) {
    problems.add(at, `needs retry.tell_koha at ${home.library.id}, and the plugin`, 'report');
  }
}

function readAgreement(
  raw: unknown,
  at: Path,
  reading: Reading,
): { agreement: Agreement; works: boolean } | null {
  const { problems } = reading;
  const read = readSection(agreementSchema, raw, at, problems);
  reportMissing(raw, ['home', 'lending'], agreementSchema, at, problems);
  const home = findLibrary(read.home, [...at, 'home'], reading);
  const lending = findLibrary(read.lending, [...at, 'lending'], reading);
  if (home !== null && home === lending) {
    problems.add([...at, 'lending'], 'is the same as home', 'another library');
  }
  if (lending !== null && !lending.isLending) {
    problems.add(
      [...at, 'lending'],
      'has no webhook_secrets, so it cannot report a card',
      'a library with webhook_secrets',
    );
  }
  if (home === null || lending === null) return null;
  const blockHomeOver = toBlockHomeOver(read.recourse ?? BUILT_IN_DEFAULTS.agreement.recourse);
  if (blockHomeOver !== null) checkBlock([...at, 'recourse'], home, lending, problems);
  const agreement = {
    home: home.library.id,
    lending: lending.library.id,
    fields: read.fields ?? null,
    categories: toCategoryFilter(read.categories ?? BUILT_IN_DEFAULTS.agreement.categories),
    blockHomeOver,
  };
  return { agreement, works: home.library.enabled && canCheckOut(lending) };
}

/** A list of agreements: those that can work, after everything wrong was reported. */
export function readAgreementList(
  raws: readonly unknown[],
  drafts: readonly LibraryDraft[],
  problems: ProblemList,
): Agreements {
  const reading = { drafts: new Map(drafts.map((draft) => [draft.library.id, draft])), problems };
  reading.drafts.delete('');
  const pairs = new Map<string, number>();
  const list = raws.flatMap((raw, place) => {
    const read = readAgreement(raw, ['agreements', place], reading);
    if (read === null) return [];
    const pair = `${read.agreement.home}:${read.agreement.lending}`;
    const before = pairs.get(pair);
    if (before !== undefined) {
      problems.add(
        ['agreements', place],
        `is the same pair as agreements[${before}]`,
        'one entry for each pair and direction',
      );
    }
    pairs.set(pair, before ?? place);
    return read.works ? [read.agreement] : [];
  });
  return indexAgreements(deepFreeze(list));
}
