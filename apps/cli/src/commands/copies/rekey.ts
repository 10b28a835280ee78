import { type Consortium, loadConsortium } from '@passport/config';
import type { KohaPatron, PatronPage } from '@passport/koha-client';
import { homeKeyOf, homeKeysOf, isSomebodyElse } from '@passport/patron-rules';
import { rekeyCopyRecord } from '@passport/queue/copies';
import { splitHomeKey } from '../../places/home-key.ts';
import {
  applyOption,
  defineCommand,
  findLibrary,
  required,
  optional,
  WrongUse,
} from '../../program/index.ts';
import {
  attributeOf,
  type CopyTypes,
  copyTypesOf,
  lendersTo,
  listCopies,
  valueOf,
  writeHomeKey,
} from './copy.ts';
import {
  buildPace,
  type CopiesAt,
  type CopyWork,
  goThrough,
  type Meanings,
  type Pace,
  type Place,
  planList,
  printPlan,
  SHARED_MEANINGS,
} from './plan.ts';

const MEANINGS = {
  ...SHARED_MEANINGS,
  rekey: { good: true, says: 'will name the library by its new id' },
  rekeyed: { good: true, says: 'names the library by its new id' },
  not_at_home: {
    says: 'the library has no such patron number, or hides it: rename nothing before you know why',
  },
  home_anonymized: { says: 'the library has anonymised its patron' },
  other_person: { says: 'the number is of somebody else there: the library changed its patron numbers' },
  merged: { says: 'the record has several home keys: copies were merged' },
} as const satisfies Meanings<string>;
type RekeyFinding = keyof typeof MEANINGS;

interface Rename {
  readonly from: string;
  readonly to: string;
}

/** What speaks against the new key for a copy; `homes` are the records read at the renamed library. */
function decide(copy: KohaPatron, types: CopyTypes, { from }: Rename, homes: PatronPage): RekeyFinding {
  const keys = homeKeysOf(copy, { homeKeyAttribute: types.homeKey });
  const key = splitHomeKey(keys[0] ?? '');
  if (copy.anonymized === true) return 'anonymized';
  if (keys.length > 1) return 'merged';
  if (key?.home !== from) return 'unreadable';
  const home = homes.patrons.find(({ patronId }) => patronId === key.patronId);
  if (home === undefined) return 'not_at_home';
  if (home.anonymized === true) return 'home_anonymized';
  return isSomebodyElse(copy, home) ? 'other_person' : 'rekey';
}

/**
 * Rekeys one copy that was found good. What the service and the plugin know of the copy gets the new key before the copy: a run that
 * ends in between is finished by the next, which finds the copy by its old key, and nobody follows it until then. Throws KohaError.
 */
async function rekeyOne(
  { koha, library, open }: Place,
  copy: KohaPatron | null,
  from: string | null,
  to: string,
): Promise<RekeyFinding> {
  const types = copyTypesOf(library);
  if (copy === null || from === null || valueOf(copy, types.homeKey) !== from) return 'changed_meanwhile';
  const { patronId } = copy;
  if (copy.anonymized === true) return 'anonymized';
  if (attributeOf(copy, types.passport) === null) return 'not_a_copy';
  const homeKey = homeKeyOf(to, splitHomeKey(from)?.patronId ?? 0);
  // Looked at first: a copy is changed as a whole or not at all.
  if (await koha.isAttributeTaken(types.homeKey, homeKey)) return 'key_taken';
  const [row] = (await koha.readRememberedCopies({ after: patronId - 1, upTo: patronId })) ?? [];
  if (row !== undefined) await koha.rememberCopy({ ...row, homeKey });
  if (open !== null) await rekeyCopyRecord(open.redis, library.id, { patronId, from, to: homeKey });
  const written = await writeHomeKey(koha, copy, types, { home: to, homeKey });
  return written === 'written' ? 'rekeyed' : written;
}

function rekeyAt(place: Place, rename: Rename, atHome: Pace): CopiesAt<RekeyFinding, object> {
  const { library, koha, kohaOf, signal } = place;
  const { from, to } = rename;
  const types = copyTypesOf(library);
  const pages = listCopies(koha, library, from, { signal });
  return {
    plan: planList(library, pages, {}, async function* (copies) {
      const keys = copies.map((copy) => valueOf(copy, types.homeKey));
      const wanted = new Set(keys.flatMap((key) => splitHomeKey(key ?? '')?.patronId ?? []));
      const homes = await atHome(() => kohaOf(to).readPatrons([...wanted], {}, { signal }));
      for (const [index, copy] of copies.entries()) {
        const known = { lending: library.id, patron_id: copy.patronId, home_key: keys[index] ?? null };
        yield { ...known, finding: decide(copy, types, rename, homes) };
      }
    }),
    apply: (copy, record) => rekeyOne(place, record, copy.home_key, to),
  };
}

function checkRename(consortium: Consortium, { from, to }: Rename): void {
  findLibrary(consortium, to);
  if (!consortium.libraries.some(({ id }) => id === from)) return;
  throw new WrongUse(
    `the configuration still has a library "${from}": its copies are its own. Give --from the id it had before`,
  );
}

export const copiesRekey = defineCommand({
  summary: 'make copies name a renamed library by its new id',
  description:
    "After a library's id was changed in the configuration: finds the copies that name it by its old id, and makes their passport and " +
    'home key name the new one. Reads every patron at the library first (100 in a call): a copy whose number is of somebody else there, ' +
    'or of nobody, is listed and left as it is. Only plans without --apply.',
  examples: [
    'passport copies rekey --from mid-land --to midland',
    'passport copies rekey --from mid-land --to midland --at riverside --apply',
  ],
  options: {
    from: required('<old id>', 'what the library was called'),
    to: required('<library>', 'what it is called now'),
    at: optional('<library>', 'only copies at this lending library'),
    apply: applyOption(),
  },
  run: async ({ from, to, at, apply = false }, _args, report, deps): Promise<0 | 1> => {
    const consortium = loadConsortium(deps.env, deps.readFile);
    checkRename(consortium, { from, to });
    const atHome = buildPace(deps.signal);
    const work: CopyWork<RekeyFinding, object> = {
      action: 'copies_rekey',
      audit: { from, to },
      lenders: lendersTo(consortium, to, at),
      called: consortium.libraries,
      applies: apply,
      needsQueue: apply,
      at: (place) => rekeyAt(place, { from, to }, atHome),
      todo: ['rekey'],
      nothing: {},
    };
    return printPlan(await goThrough(work, report, deps), MEANINGS, {}, report);
  },
});
