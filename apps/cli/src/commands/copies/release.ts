import { type Library, loadConsortium } from '@passport/config';
import { parsePatronNumber } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import { attempt, type OpenKoha } from '../../connect/koha-clients.ts';
import { splitHomeKey } from '../../places/home-key.ts';
import {
  applyOption,
  defineCommand,
  findLibrary,
  type Report,
  required,
  WrongUse,
} from '../../program/index.ts';
import { type CopyTypes, copyTypesOf, releaseCopy, valueOf } from './copy.ts';
import {
  type CopyWork,
  goThrough,
  type Meanings,
  type PlannedCopy,
  printPlan,
  SHARED_MEANINGS,
} from './plan.ts';

const MEANINGS = {
  anonymized: SHARED_MEANINGS.anonymized,
  failed: SHARED_MEANINGS.failed,
  release: { good: true, says: 'the passport and the home key will be removed' },
  released: { good: true, says: "it is this library's own patron now" },
  already_own: { good: true, says: "it is this library's own patron: it has no passport and no home key" },
  not_found: { says: 'there is no such patron, or the API user may not see it' },
} as const satisfies Meanings<string>;
type ReleaseFinding = keyof typeof MEANINGS;

/** Whether the record can become the library's own patron, and whether it is one already. */
function decide(copy: KohaPatron | null, types: CopyTypes): ReleaseFinding {
  if (copy === null || copy.hidden) return 'not_found';
  if (copy.anonymized === true) return 'anonymized';
  const isMarked = [types.passport, types.homeKey].some((type) => valueOf(copy, type) !== null);
  return isMarked ? 'release' : 'already_own';
}

/** Reads a patron by number, or by home key. */
async function readNamed(koha: OpenKoha, name: string, types: CopyTypes) {
  if (splitHomeKey(name) === null) return koha.readPatron(Number(name));
  const [found] = await koha.findByAttribute(types.homeKey, name);
  return found === undefined ? null : koha.readPatron(found.patronId);
}

function checkName(name: string): void {
  if (splitHomeKey(name) !== null || parsePatronNumber(name) !== null) return;
  throw new WrongUse('a patron is named by a patron number, or by a home key such as midland:812');
}

/** What is found of each of these patrons, `read` of those whose record was read; one who cannot be read stops nobody. */
async function* plan(
  { id: lending }: Library,
  koha: OpenKoha,
  types: CopyTypes,
  names: readonly string[],
  read: Set<number>,
  { progress }: Report,
): AsyncGenerator<PlannedCopy<ReleaseFinding>, void, undefined> {
  for (const name of names) {
    const key = splitHomeKey(name) === null ? null : name;
    const known = { lending, patron_id: key === null ? Number(name) : null, home_key: key };
    const named = await attempt(readNamed(koha, name, types));
    if ('error' in named) {
      progress(named.error.message);
      yield { ...known, finding: 'failed' };
      continue;
    }
    const finding = decide(named.value, types);
    if (named.value === null) yield { ...known, finding };
    else {
      const { patronId } = named.value;
      read.add(patronId);
      const home_key = valueOf(named.value, types.homeKey) ?? key;
      yield { lending, patron_id: patronId, home_key, finding };
    }
  }
}

export const copiesRelease = defineCommand({
  summary: "make copies the lending library's own patrons",
  description:
    "Makes copies the lending library's own patrons, for instance because they have moved: the passport and the home key are removed, " +
    'and nothing else. From then on they are never refreshed, and other libraries find them here as any other patron. Each has a ' +
    'receipt. Only plans without --apply.',
  examples: [
    'passport copies release 402 --at riverside',
    'passport copies release 402 midland:3 --at riverside --apply',
  ],
  argument: ['<patron...>', "the lending Koha's patron numbers, or home keys"],
  options: { at: required('<library>', 'the lending library'), apply: applyOption() },
  run: async ({ at, apply = false }, names, report, deps): Promise<0 | 1> => {
    names.forEach(checkName);
    const library = findLibrary(loadConsortium(deps.env, deps.readFile), at);
    const types = copyTypesOf(library);
    const read = new Set<number>();
    const work: CopyWork<ReleaseFinding, object> = {
      action: 'copies_release',
      // What nobody has may be a card, typed by mistake.
      auditOf: ({ patron_id: id }) => (read.has(id ?? 0) ? {} : { patron_id: null, home_key: null }),
      lenders: [library],
      applies: apply,
      needsQueue: apply,
      at: ({ koha, ends }) => ({
        plan: plan(library, koha, types, names, read, report),
        async apply(_copy, record) {
          const finding = decide(record, types);
          if (record === null || finding !== 'release' || ends === null) return finding;
          await releaseCopy(koha, record, types, ends);
          return 'released';
        },
      }),
      todo: ['release'],
      nothing: {},
    };
    return printPlan(await goThrough(work, report, deps), MEANINGS, { shows: 'all' }, report);
  },
});
