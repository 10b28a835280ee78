import { Option } from 'commander';
import { type Library, loadConsortium } from '@passport/config';
import { type KohaPatron, KohaError, PATRONS_A_PAGE } from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import type { CliDeps } from '../cli-deps.ts';
import type { CommandDraft } from '../command.ts';
import { WrongUse } from '../failure.ts';
import { type OpenKoha, openKohas } from '../koha-clients.ts';
import { localDay } from '../local-time.ts';
import { openLog } from '../open-log.ts';
import { type CopyTypes, copyTypesOf } from './copy-types.ts';
import { attributeOf } from './describe-copy.ts';
import { inBatches } from './in-batches.ts';
import { leaveByPurge } from './leave-by-purge.ts';
import { type Meanings, type PlannedCopy, printPlan } from './plan.ts';
import { countsOf, lendersOf, readCopies } from './read-copies.ts';
import { rememberedKeys } from './remembered-keys.ts';
import { warnOfAgreements } from './warn-of-agreements.ts';
import { removePassport } from './write-copy.ts';

const WAYS = ['expire', 'release', 'purge'] as const;
type Way = (typeof WAYS)[number];

const MEANINGS = {
  copy: { good: true, says: 'can be expired, released or purged: choose with --by' },
  expire: { good: true, says: 'will expire: nothing more can be borrowed' },
  expired: { good: true, says: 'has expired: nothing more can be borrowed' },
  already_expired: { good: true, says: 'has expired before' },
  release: { good: true, says: 'the passport and the home key will be removed' },
  released: { good: true, says: "it is the lending library's own patron now" },
  merged: { says: 'a copy was merged into this own patron of the library: release it by its number' },
  not_a_copy: { says: 'the record has no passport any more: it is the own patron of the library' },
  not_remembered: {
    says: 'the plugin does not remember that the service wrote into this record: it may be an own patron with a merged copy, or was made before version 1.1',
  },
  anonymized: { says: 'Koha has anonymised the record: it is never written' },
  changed_meanwhile: { says: 'somebody changed the record at this moment: repeat the command' },
  refused: { says: 'the Koha refused the change: `passport doctor` says more' },
  unreadable: { says: 'the record cannot be read' },
  failed: { says: 'a Koha did not answer: repeat the command' },
} as const satisfies Meanings<string>;
type LeaveFinding = keyof typeof MEANINGS;

/** What is to be done with the copies of one library. */
interface Leaving {
  readonly of: string;
  readonly by: Exclude<Way, 'purge'> | null;
  readonly apply: boolean;
  /** The last day on which a copy that expires was still valid: the day before today. */
  readonly lastDay: string;
}

function decide(copy: KohaPatron, library: Library, types: CopyTypes, leaving: Leaving): LeaveFinding {
  if (copy.anonymized === true) return 'anonymized';
  const keys = homeKeysOf(copy, { homeKeyAttribute: types.homeKey });
  const copyCategories = copyCategoriesOf(library.copy);
  if (keys.length > 1 || isInForeignCategory(copy, { copyCategories })) return 'merged';
  if (leaving.by !== 'expire') return leaving.by ?? 'copy';
  return copy.expiryDate !== null && copy.expiryDate <= leaving.lastDay ? 'already_expired' : 'expire';
}

/** Koha wants these three echoed; nothing but the date changes. */
async function expire(koha: OpenKoha, copy: KohaPatron, lastDay: string, signal: AbortSignal) {
  const { surname, libraryId: branch, categoryId: category_id } = copy;
  const body = { surname, library_id: branch, category_id, expiry_date: lastDay };
  const changed = await koha.changePatron(copy.patronId, body, { branch }, { signal });
  return EXPIRED[changed.kind];
}

const EXPIRED = {
  changed: 'expired',
  gone: 'changed_meanwhile',
  card_taken: 'refused',
  refused: 'refused',
} as const;

/** Reads a copy again, with all attributes, decides again, and writes. Throws KohaError. */
async function applyOne(
  koha: OpenKoha,
  patronId: number,
  library: Library,
  leaving: Leaving,
  signal: AbortSignal,
): Promise<LeaveFinding> {
  const types = copyTypesOf(library);
  const copy = await koha.readPatron(patronId, { signal });
  const key = copy === null ? null : attributeOf(copy, types.homeKey);
  if (copy === null || key?.value?.startsWith(`${leaving.of}:`) !== true) return 'changed_meanwhile';
  if (leaving.by === 'expire' && attributeOf(copy, types.passport) === null) return 'not_a_copy';
  const finding = decide(copy, library, types, leaving);
  if (finding === 'expire') return expire(koha, copy, leaving.lastDay, signal);
  if (finding !== 'release') return finding;
  await removePassport(koha, copy, types, { signal });
  return 'released';
}

/** Decides, and with `apply` writes, for the copies at one library. Throws KohaError when the list fails. */
async function* leaveAt(
  library: Library,
  koha: OpenKoha,
  leaving: Leaving,
  signal: AbortSignal,
): AsyncGenerator<PlannedCopy<LeaveFinding>, void, undefined> {
  const types = copyTypesOf(library);
  const perhaps = async (patronId: number, finding: LeaveFinding): Promise<LeaveFinding> => {
    if (!leaving.apply || (finding !== 'expire' && finding !== 'release')) return finding;
    try {
      return await applyOne(koha, patronId, library, leaving, signal);
    } catch (error) {
      if (error instanceof KohaError) return 'failed';
      throw error;
    }
  };
  for await (const batch of inBatches(readCopies(koha, library, leaving.of, { signal }), PATRONS_A_PAGE)) {
    const ids = batch.flatMap((copy) => copy?.patronId ?? []);
    const remembered = leaving.by === 'expire' ? await rememberedKeys(koha, ids, { signal }) : null;
    for (const copy of batch) {
      const known = { lending: library.id, patron_id: copy?.patronId ?? null };
      const homeKey = copy === null ? null : (attributeOf(copy, types.homeKey)?.value ?? null);
      const planned = copy === null ? 'unreadable' : decide(copy, library, types, leaving);
      // An own patron whom Koha merged a copy into can be in a category of copies, and must be able to borrow.
      const isDoubtful = planned === 'expire' && remembered?.get(copy?.patronId ?? 0) !== homeKey?.trim();
      const sure = isDoubtful ? 'not_remembered' : planned;
      const finding = copy === null ? sure : await perhaps(copy.patronId, sure);
      yield { ...known, home_key: homeKey, finding };
    }
  }
}

interface LeaveOptions {
  readonly of: string;
  readonly at?: string;
  readonly by?: Way;
  readonly apply?: boolean;
}

const dayBefore = (nowMs: number): string => localDay(nowMs - 86_400_000);

/** One line in the audit for each copy. */
function auditOf({ of, by }: Leaving, deps: CliDeps): (copy: PlannedCopy<LeaveFinding>) => void {
  const log = openLog(deps);
  const audit = { audit: true, action: 'copies_leave', by: deps.user, home: of, way: by };
  return ({ lending, patron_id, home_key, finding: result }) =>
    log.info({ ...audit, lending, patron_id, home_key, result }, 'copies leave');
}

export const copiesLeave: CommandDraft<LeaveOptions> = {
  name: 'leave',
  summary: 'plan what becomes of the copies of a library that leaves',
  description:
    'Lists how many copies of a library every lending library has, and with --by what would become of each: `expire` sets the expiry ' +
    "date to yesterday, so that nothing more is borrowed and what is out can come back; `release` makes them the lending library's own " +
    'patrons; `purge` deletes those that nothing keeps, as `copies purge` does. A date is never moved forward. Own patrons into whom a copy was merged, and anonymised records, are listed and left as ' +
    'they are. Only plans without --apply.',
  examples: [
    'passport copies leave --of lakeside',
    'passport copies leave --of lakeside --by expire --apply',
    'passport copies leave --of lakeside --at riverside --by release --apply',
    'passport copies leave --of lakeside --by purge --apply',
  ],
  options: [
    new Option(
      '--of <library>',
      'the library that leaves, also if the configuration does not have it any more',
    ).makeOptionMandatory(),
    new Option('--at <library>', 'only copies at this lending library'),
    new Option('--by <way>', 'what becomes of them').choices(WAYS),
    new Option('--apply', 'do it; needs --by'),
  ],
  run: async ({ of, at, by: way, apply = false }, _args, report, deps): Promise<0 | 1> => {
    const by = way ?? null;
    if (apply && by === null) throw new WrongUse('--apply needs --by: expire, release or purge');
    const consortium = loadConsortium(deps.env, deps.readFile);
    const lenders = lendersOf(consortium, at).filter(
      ({ id, copy }) => id !== of && (at !== undefined || copy.homeKeyAttribute !== null),
    );
    warnOfAgreements(consortium, of, report);
    if (by === 'purge') return leaveByPurge({ of, lenders, apply }, report, deps);
    const leaving: Leaving = { of, by, apply, lastDay: dayBefore(deps.now()) };
    const kohas = openKohas(lenders, deps);
    const audit = auditOf(leaving, deps);
    const copies: PlannedCopy<LeaveFinding>[] = [];
    const pass = (copy: PlannedCopy<LeaveFinding>): void => {
      copies.push(copy);
      audit(copy);
    };
    try {
      for (const library of lenders) {
        try {
          for await (const copy of leaveAt(library, kohas.of(library.id), leaving, deps.signal)) pass(copy);
        } catch (error) {
          if (!(error instanceof KohaError)) throw error;
          report.progress(error.message);
          pass({ lending: library.id, patron_id: null, home_key: null, finding: 'failed' });
        }
      }
      const at_libraries = countsOf(copies.map(({ lending }) => lending));
      for (const [lending, count] of Object.entries(at_libraries)) report.line(`${lending}: ${count} copies`);
      return printPlan(copies, MEANINGS, { applied: apply, more: { lending: at_libraries } }, report);
    } finally {
      kohas.close();
    }
  },
};
