import { Option } from 'commander';
import { type Library, loadConsortium } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { CommandDraft } from '../../program/command.ts';
import { WrongUse } from '../../program/failure.ts';
import { type OpenKoha, openKohas } from '../../connect/koha-clients.ts';
import { localDay } from '../../program/local-time.ts';
import { openLog } from '../../program/open-log.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { type CopyEnds, openCopyEnds } from './copy-ends.ts';
import { type CopyTypes, copyTypesOf } from './copy-types.ts';
import { attributeOf } from './describe-copy.ts';
import { eachCopy, goThrough, orFailed } from './go-through.ts';
import { leaveByPurge } from './leave-by-purge.ts';
import { type Meanings, type PlannedCopy, failedAt, printPlan } from './plan.ts';
import { countsOf, lendersOf, readCopies } from './read-copies.ts';
import { rememberedKeys } from './remembered-keys.ts';
import { warnOfAgreements } from './warn-of-agreements.ts';
import { releaseCopy } from './write-copy.ts';

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
async function expire(koha: OpenKoha, copy: KohaPatron, lastDay: string) {
  const { surname, libraryId: branch, categoryId: category_id } = copy;
  const body = { surname, library_id: branch, category_id, expiry_date: lastDay };
  const changed = await koha.changePatron(copy.patronId, body, { branch });
  return EXPIRED[changed.kind];
}

const EXPIRED = {
  changed: 'expired',
  gone: 'changed_meanwhile',
  card_taken: 'refused',
  refused: 'refused',
} as const;

/** Reads a copy again, with all attributes, decides again, and writes; none of it is broken off. Throws KohaError. */
async function applyOne(
  koha: OpenKoha,
  patronId: number,
  library: Library,
  leaving: Leaving,
  ends: CopyEnds | null,
): Promise<LeaveFinding> {
  const types = copyTypesOf(library);
  const copy = await koha.readPatron(patronId);
  const key = copy === null ? null : attributeOf(copy, types.homeKey);
  if (copy === null || key?.value?.startsWith(`${leaving.of}:`) !== true) return 'changed_meanwhile';
  if (leaving.by === 'expire' && attributeOf(copy, types.passport) === null) return 'not_a_copy';
  const finding = decide(copy, library, types, leaving);
  if (finding === 'expire') return expire(koha, copy, leaving.lastDay);
  if (finding !== 'release' || ends === null) return finding;
  await releaseCopy(koha, copy, types, ends);
  return 'released';
}

/** Decides, and with `apply` writes, for the copies at one library. Throws KohaError when the list fails. */
function leaveAt(
  library: Library,
  koha: OpenKoha,
  leaving: Leaving,
  { signal, ends }: { readonly signal: AbortSignal; readonly ends: CopyEnds | null },
): AsyncIterable<PlannedCopy<LeaveFinding>> {
  const types = copyTypesOf(library);
  return eachCopy(readCopies(koha, library, leaving.of, { signal }), {
    unreadable: { lending: library.id, patron_id: null, home_key: null, finding: 'unreadable' },
    async *decide(copies): AsyncGenerator<PlannedCopy<LeaveFinding>, void, undefined> {
      const ids = copies.map(({ patronId }) => patronId);
      const remembered = leaving.by === 'expire' ? await rememberedKeys(koha, ids, { signal }) : null;
      for (const copy of copies) {
        const home_key = attributeOf(copy, types.homeKey)?.value ?? null;
        const planned = decide(copy, library, types, leaving);
        // An own patron whom Koha merged a copy into can be in a category of copies, and must be able to borrow.
        const isDoubtful = planned === 'expire' && remembered?.get(copy.patronId) !== home_key?.trim();
        const finding = isDoubtful ? 'not_remembered' : planned;
        yield { lending: library.id, patron_id: copy.patronId, home_key, finding };
      }
    },
    async write(copy) {
      const { patron_id: id, finding } = copy;
      if (!leaving.apply || id === null || (finding !== 'expire' && finding !== 'release')) return copy;
      return { ...copy, finding: await orFailed(() => applyOne(koha, id, library, leaving, ends)) };
    },
  });
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
    const kohas = openKohas(lenders, deps);
    const work = async (open: OpenQueue | null): Promise<0 | 1> => {
      if (by === 'purge') return leaveByPurge({ of, lenders, kohas, open }, report, deps);
      const leaving: Leaving = { of, by, apply, lastDay: dayBefore(deps.now()) };
      const leave = (library: Library): AsyncIterable<PlannedCopy<LeaveFinding>> => {
        const ends = open === null ? null : openCopyEnds(open, library, deps);
        return leaveAt(library, kohas.of(library.id), leaving, { signal: deps.signal, ends });
      };
      const passage = { at: leave, failed: failedAt, pass: auditOf(leaving, deps), applies: apply };
      const { copies, stopped } = await goThrough(lenders, passage, report, deps);
      const at_libraries = countsOf(copies.map(({ lending }) => lending));
      for (const [lending, count] of Object.entries(at_libraries)) report.line(`${lending}: ${count} copies`);
      const printing = { applied: apply, stopped, more: { lending: at_libraries } };
      return printPlan(copies, MEANINGS, printing, report);
    };
    try {
      return apply && by !== 'expire' ? await withQueue(deps, work) : await work(null);
    } finally {
      kohas.close();
    }
  },
};
