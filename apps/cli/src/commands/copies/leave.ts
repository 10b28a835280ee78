import { type Library, loadConsortium } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import type { OpenKoha } from '../../connect/koha-clients.ts';
import { choice, defineCommand, flag, localDay, required, optional, WrongUse } from '../../program/index.ts';
import type { CopyEnds } from './copy-ends.ts';
import {
  attributeOf,
  copyTypesOf,
  lendersTo,
  listCopies,
  releaseCopy,
  rememberedKeys,
  warnOfAgreements,
} from './copy.ts';
import {
  type CopiesAt,
  type CopyWork,
  type Place,
  countsOf,
  goThrough,
  type Meanings,
  planList,
  printPlan,
  SHARED_MEANINGS,
} from './plan.ts';
import {
  allCopies,
  printDeletions,
  DELETION,
  deleteAt,
  type DeletionDetails,
  type DeletionFinding,
} from './delete-at.ts';

const WAYS = ['expire', 'release', 'delete'] as const;
type Way = (typeof WAYS)[number];

const MEANINGS = {
  ...SHARED_MEANINGS,
  copy: { good: true, says: 'can be expired, released or deleted: choose with --by' },
  expire: { good: true, says: 'will expire: nothing more can be borrowed' },
  expired: { good: true, says: 'has expired: nothing more can be borrowed' },
  already_expired: { good: true, says: 'has expired before' },
  release: { good: true, says: 'the passport and the home key will be removed' },
  released: { good: true, says: "it is the lending library's own patron now" },
  merged: { says: 'a copy was merged into this own patron of the library: release it by its number' },
  refused: { says: 'the Koha refused the change: `passport doctor` says more' },
} as const satisfies Meanings<string>;
type LeaveFinding = keyof typeof MEANINGS;

/** What is to be done with the copies of one library. */
interface Leaving {
  readonly of: string;
  readonly by: Exclude<Way, 'delete'> | null;
  /** The last day on which a copy that expires was still valid: the day before today. */
  readonly lastDay: string;
}

function decide(copy: KohaPatron, library: Library, { by, lastDay }: Leaving): LeaveFinding {
  if (copy.anonymized === true) return 'anonymized';
  const keys = homeKeysOf(copy, library.copy);
  const copyCategories = copyCategoriesOf(library.copy);
  if (keys.length > 1 || isInForeignCategory(copy, { copyCategories })) return 'merged';
  if (by !== 'expire') return by ?? 'copy';
  return copy.expiryDate !== null && copy.expiryDate <= lastDay ? 'already_expired' : 'expire';
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

/** Decides again, and writes. Throws KohaError. */
async function applyOne(
  koha: OpenKoha,
  copy: KohaPatron | null,
  library: Library,
  leaving: Leaving,
  ends: CopyEnds | null,
): Promise<LeaveFinding> {
  const types = copyTypesOf(library);
  const key = copy === null ? null : attributeOf(copy, types.homeKey);
  if (copy === null || key?.value?.startsWith(`${leaving.of}:`) !== true) return 'changed_meanwhile';
  if (leaving.by === 'expire' && attributeOf(copy, types.passport) === null) return 'not_a_copy';
  const finding = decide(copy, library, leaving);
  if (finding === 'expire') return expire(koha, copy, leaving.lastDay);
  if (finding !== 'release' || ends === null) return finding;
  await releaseCopy(koha, copy, types, ends);
  return 'released';
}

function leaveAt({ library, koha, ends, signal }: Place, leaving: Leaving): CopiesAt<LeaveFinding, object> {
  const { homeKey } = copyTypesOf(library);
  const pages = listCopies(koha, library, leaving.of, { signal });
  return {
    plan: planList(library, pages, {}, async function* (copies) {
      const ids = copies.map(({ patronId }) => patronId);
      const remembered = leaving.by === 'expire' ? await rememberedKeys(koha, ids, { signal }) : null;
      for (const copy of copies) {
        const home_key = attributeOf(copy, homeKey)?.value ?? null;
        const planned = decide(copy, library, leaving);
        // An own patron whom Koha merged a copy into can be in a category of copies, and must be able to borrow.
        const isDoubtful = planned === 'expire' && remembered?.get(copy.patronId) !== home_key?.trim();
        const finding = isDoubtful ? 'not_remembered' : planned;
        yield { lending: library.id, patron_id: copy.patronId, home_key, finding };
      }
    }),
    apply: (_copy, record) => applyOne(koha, record, library, leaving, ends),
  };
}

export const copiesLeave = defineCommand({
  summary: 'plan what becomes of the copies of a library that leaves',
  description:
    'Lists how many copies of a library every lending library has, and with --by what would become of each: `expire` sets the expiry ' +
    "date to yesterday, so that nothing more is borrowed and what is out can come back; `release` makes them the lending library's own " +
    'patrons; `delete` deletes those that nothing keeps, as `copies delete` does. A date is never moved forward. Own patrons into whom a copy was merged, and anonymised records, are listed and left as ' +
    'they are. Only plans without --apply.',
  examples: [
    'passport copies leave --of lakeside',
    'passport copies leave --of lakeside --by expire --apply',
    'passport copies leave --of lakeside --at riverside --by release --apply',
    'passport copies leave --of lakeside --by delete --apply',
  ],
  options: {
    of: required('<library>', 'the library that leaves, also if the configuration does not have it any more'),
    at: optional('<library>', 'only copies at this lending library'),
    by: choice('<way>', 'what becomes of them', WAYS),
    apply: flag('do it; needs --by'),
  },
  run: async ({ of, at, by: way, apply = false }, _args, report, deps): Promise<0 | 1> => {
    const by = way ?? null;
    if (apply && by === null) throw new WrongUse('--apply needs --by: expire, release or delete');
    const consortium = loadConsortium(deps.env, deps.readFile);
    const lenders = lendersTo(consortium, of, at);
    warnOfAgreements(consortium, of, report);
    const common = {
      action: 'copies_leave',
      audit: { home: of, way: by },
      lenders,
      applies: apply,
      needsQueue: apply && by !== 'expire',
    } as const;
    if (by === 'delete') {
      const criteria = allCopies('leaves');
      const today = localDay(deps.now());
      const ran = await goThrough<DeletionFinding, DeletionDetails>(
        {
          ...common,
          ...DELETION,
          auditOf: ({ blocks }) => ({ blocks }),
          at: (place) => deleteAt(place, { of, today, criteria }),
        },
        report,
        deps,
      );
      return printDeletions(ran, { showsUse: false, showsLending: true }, report);
    }
    const leaving = { of, by, lastDay: localDay(deps.now() - 86_400_000) };
    const work: CopyWork<LeaveFinding, object> = {
      ...common,
      at: (place) => leaveAt(place, leaving),
      todo: ['expire', 'release'],
      nothing: {},
    };
    const ran = await goThrough(work, report, deps);
    const at_libraries = countsOf(ran.copies.map(({ lending }) => lending));
    for (const [lending, count] of Object.entries(at_libraries)) report.line(`${lending}: ${count} copies`);
    return printPlan(ran, MEANINGS, { more: { lending: at_libraries } }, report);
  },
});
