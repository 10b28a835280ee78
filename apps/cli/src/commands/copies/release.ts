import { Option } from 'commander';
import { loadConsortium } from '@passport/config';
import { type KohaPatron, KohaError } from '@passport/koha-client';
import { type CommandDraft, atLibrary } from '../../program/command.ts';
import { WrongUse } from '../../program/failure.ts';
import { findLibrary } from '../../program/find-library.ts';
import { type OpenKoha, openKoha } from '../../connect/koha-clients.ts';
import { openLog } from '../../program/open-log.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { type CopyEnds, openCopyEnds } from './copy-ends.ts';
import { type CopyTypes, copyTypesOf } from './copy-types.ts';
import { attributeOf, splitHomeKey } from './describe-copy.ts';
import { goThrough } from './go-through.ts';
import { type Meanings, type PlannedCopy, failedAt, printPlan } from './plan.ts';
import { releaseCopy } from './write-copy.ts';

const MEANINGS = {
  release: { good: true, says: 'the passport and the home key will be removed' },
  released: { good: true, says: "it is this library's own patron now" },
  already_own: { good: true, says: "it is this library's own patron: it has no passport and no home key" },
  not_found: { says: 'there is no such patron, or the API user may not see it' },
  anonymized: { says: 'Koha has anonymised the record: it is never written' },
  failed: { says: 'Koha did not answer: repeat the command' },
} as const satisfies Meanings<string>;
export type ReleaseFinding = keyof typeof MEANINGS;

/** Whether the record can become the library's own patron, and whether it is one already. */
function decide(copy: KohaPatron | null, types: CopyTypes): ReleaseFinding {
  if (copy === null || copy.hidden) return 'not_found';
  if (copy.anonymized === true) return 'anonymized';
  const isMarked = [types.passport, types.homeKey].some((type) => attributeOf(copy, type) !== null);
  return isMarked ? 'release' : 'already_own';
}

/** Reads a patron by number, or by home key. */
async function readNamed(koha: OpenKoha, name: string, types: CopyTypes) {
  if (splitHomeKey(name) === null) return koha.readPatron(Number(name));
  const [found] = await koha.findByAttribute(types.homeKey, name);
  return found === undefined ? null : koha.readPatron(found.patronId);
}

function checkName(name: string): void {
  if (splitHomeKey(name) !== null || /^[1-9]\d{0,14}$/.test(name)) return;
  throw new WrongUse(`"${name}" is neither a patron number nor a home key such as midland:812`);
}

export const copiesRelease: CommandDraft<{ at: string; apply?: boolean }> = {
  name: 'release',
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
  options: [atLibrary('the lending library'), new Option('--apply', 'do it')],
  run: async ({ at, apply = false }, names, report, deps): Promise<0 | 1> => {
    names.forEach(checkName);
    const library = findLibrary(loadConsortium(deps.env, deps.readFile), at);
    const types = copyTypesOf(library);
    const koha = openKoha(library, deps);
    const log = openLog(deps);
    const audit = { audit: true, action: 'copies_release', by: deps.user, lending: at };
    const release = async (name: string, ends: CopyEnds | null): Promise<PlannedCopy<ReleaseFinding>> => {
      const key = splitHomeKey(name) === null ? null : name;
      const known = { lending: at, patron_id: key === null ? Number(name) : null, home_key: key };
      try {
        const copy = await readNamed(koha, name, types);
        const finding = decide(copy, types);
        if (copy === null) return { ...known, finding };
        const home_key = attributeOf(copy, types.homeKey)?.value ?? key;
        const planned = { lending: at, patron_id: copy.patronId, home_key, finding };
        if (ends === null || finding !== 'release') return planned;
        await releaseCopy(koha, copy, types, ends);
        return { ...planned, finding: 'released' };
      } catch (error) {
        if (!(error instanceof KohaError)) throw error;
        report.progress(error.message);
        return { ...known, finding: 'failed' };
      }
    };
    const work = async (open: OpenQueue | null): Promise<0 | 1> => {
      const ends = open === null ? null : openCopyEnds(open, library, deps);
      const releaseAll = async function* (): AsyncGenerator<PlannedCopy<ReleaseFinding>, void, undefined> {
        for (const name of names) yield await release(name, ends);
      };
      const pass = ({ finding: result, patron_id, home_key }: PlannedCopy<ReleaseFinding>): void =>
        log.info({ ...audit, patron_id, home_key, result }, 'copies release');
      const passage = { at: releaseAll, failed: failedAt, pass, applies: apply };
      const { copies, stopped } = await goThrough([library], passage, report, deps);
      return printPlan(copies, MEANINGS, { applied: apply, stopped, lines: 'all' }, report);
    };
    try {
      return apply ? await withQueue(deps, work) : await work(null);
    } finally {
      koha.close();
    }
  },
};
