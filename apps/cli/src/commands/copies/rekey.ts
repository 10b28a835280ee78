import { Option } from 'commander';
import { type Consortium, type Library, loadConsortium } from '@passport/config';
import type { KohaPatron, PatronPage } from '@passport/koha-client';
import { homeKeyOf, homeKeysOf, isSomebodyElse } from '@passport/patron-rules';
import { rekeyCopyRecord } from '@passport/queue';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { CommandDraft } from '../../program/command.ts';
import { WrongUse } from '../../program/failure.ts';
import { findLibrary } from '../../program/find-library.ts';
import { type OpenKoha, type OpenKohas, openKohas } from '../../connect/koha-clients.ts';
import { openLog } from '../../program/open-log.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { type CopyTypes, copyTypesOf } from './copy-types.ts';
import { attributeOf, splitHomeKey } from './describe-copy.ts';
import { eachCopy, goThrough, orFailed } from './go-through.ts';
import { buildPace } from './pace.ts';
import { type Meanings, type PlannedCopy, failedAt, printPlan } from './plan.ts';
import { lendersOf, readCopies } from './read-copies.ts';
import { writeHomeKey } from './write-copy.ts';

const MEANINGS = {
  rekey: { good: true, says: 'will name the library by its new id' },
  rekeyed: { good: true, says: 'names the library by its new id' },
  not_at_home: {
    says: 'the library has no such patron number, or hides it: rename nothing before you know why',
  },
  home_anonymized: { says: 'the library has anonymised its patron' },
  other_person: { says: 'the number is of somebody else there: the library changed its patron numbers' },
  merged: { says: 'the record has several home keys: copies were merged' },
  not_a_copy: { says: 'the record has no passport any more: it is the own patron of the library' },
  anonymized: { says: 'Koha has anonymised the record: it is never written' },
  key_taken: { says: 'another record has the new home key already: the patron has two copies' },
  changed_meanwhile: { says: 'somebody changed the record at this moment: repeat the command' },
  no_attribute_type: { says: 'the Koha does not have the attribute type' },
  unreadable: { says: 'the record cannot be read' },
  failed: { says: 'a Koha did not answer: repeat the command' },
} as const satisfies Meanings<string>;
export type RekeyFinding = keyof typeof MEANINGS;

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

const keyOf = (copy: KohaPatron, types: CopyTypes): string | null =>
  attributeOf(copy, types.homeKey)?.value?.trim() ?? null;

/**
 * Rekeys one copy that was found good: reads it again, with all attributes, and writes; none of it is broken off. What the service and
 * the plugin know of the copy gets the new key before the copy: a run that ends in between is finished by the next, which finds the
 * copy by its old key, and nobody follows it until then. Throws KohaError.
 */
async function rekeyOne(
  koha: OpenKoha,
  { patron_id: patronId, home_key: from }: PlannedCopy<RekeyFinding>,
  types: CopyTypes,
  { to }: Rename,
  rekeyRecord: (patronId: number, from: string, to: string) => Promise<unknown>,
): Promise<RekeyFinding> {
  const copy = patronId === null ? null : await koha.readPatron(patronId);
  if (patronId === null || copy === null || from === null || keyOf(copy, types) !== from)
    return 'changed_meanwhile';
  if (copy.anonymized === true) return 'anonymized';
  if (attributeOf(copy, types.passport) === null) return 'not_a_copy';
  const homeKey = homeKeyOf(to, splitHomeKey(from)?.patronId ?? 0);
  // Looked at first: a copy is changed as a whole or not at all.
  if (await koha.isAttributeTaken(types.homeKey, homeKey)) return 'key_taken';
  const [row] = (await koha.readRememberedCopies({ after: patronId - 1, upTo: patronId })) ?? [];
  if (row !== undefined) await koha.rememberCopy({ ...row, homeKey });
  await rekeyRecord(patronId, from, homeKey);
  const written = await writeHomeKey(koha, copy, types, { home: to, homeKey });
  return written === 'written' ? 'rekeyed' : written;
}

/** Decides, and with `open` writes, for all copies at one library. Throws KohaError when the list or the home fails. */
function rekeyAt(
  library: Library,
  kohas: OpenKohas,
  rename: Rename,
  open: OpenQueue | null,
  { signal }: CliDeps,
): AsyncIterable<PlannedCopy<RekeyFinding>> {
  const types = copyTypesOf(library);
  const here = kohas.of(library.id);
  const atHome = buildPace(signal);
  return eachCopy(readCopies(here, library, rename.from, { signal }), {
    unreadable: { lending: library.id, patron_id: null, home_key: null, finding: 'unreadable' },
    async *decide(copies): AsyncGenerator<PlannedCopy<RekeyFinding>, void, undefined> {
      const numbers = copies.flatMap((copy) => splitHomeKey(keyOf(copy, types) ?? '')?.patronId ?? []);
      const wanted = [...new Set(numbers)];
      const homes = await atHome(() => kohas.of(rename.to).readPatrons(wanted, {}, { signal }));
      for (const copy of copies) {
        const known = { lending: library.id, patron_id: copy.patronId, home_key: keyOf(copy, types) };
        yield { ...known, finding: decide(copy, types, rename, homes) };
      }
    },
    async write(copy) {
      if (open === null || copy.finding !== 'rekey') return copy;
      const rekeyRecord = (patronId: number, from: string, to: string) =>
        rekeyCopyRecord(open.redis, library.id, { patronId, from, to });
      return { ...copy, finding: await orFailed(() => rekeyOne(here, copy, types, rename, rekeyRecord)) };
    },
  });
}

function checkRename(consortium: Consortium, { from, to }: Rename): void {
  findLibrary(consortium, to);
  if (!consortium.libraries.some(({ id }) => id === from)) return;
  throw new WrongUse(
    `the configuration still has a library "${from}": its copies are its own. Give --from the id it had before`,
  );
}

interface RekeyOptions extends Rename {
  readonly at?: string;
  readonly apply?: boolean;
}

export const copiesRekey: CommandDraft<RekeyOptions> = {
  name: 'rekey',
  summary: 'make copies name a renamed library by its new id',
  description:
    "After a library's id was changed in the configuration: finds the copies that name it by its old id, and makes their passport and " +
    'home key name the new one. Reads every patron at the library first (100 in a call): a copy whose number is of somebody else there, ' +
    'or of nobody, is listed and left as it is. Only plans without --apply.',
  examples: [
    'passport copies rekey --from mid-land --to midland',
    'passport copies rekey --from mid-land --to midland --at riverside --apply',
  ],
  options: [
    new Option('--from <old id>', 'what the library was called').makeOptionMandatory(),
    new Option('--to <library>', 'what it is called now').makeOptionMandatory(),
    new Option('--at <library>', 'only copies at this lending library'),
    new Option('--apply', 'do it'),
  ],
  run: async ({ from, to, at, apply = false }, _args, report, deps): Promise<0 | 1> => {
    const consortium = loadConsortium(deps.env, deps.readFile);
    checkRename(consortium, { from, to });
    const lenders = lendersOf(consortium, at).filter(
      ({ id, copy }) => id !== to && (at !== undefined || copy.homeKeyAttribute !== null),
    );
    const kohas = openKohas(consortium.libraries, deps);
    const log = openLog(deps);
    const audit = { audit: true, action: 'copies_rekey', by: deps.user, from, to };
    const pass = ({ lending, patron_id, home_key, finding: result }: PlannedCopy<RekeyFinding>): void =>
      log.info({ ...audit, lending, patron_id, home_key, result }, 'copies rekey');
    const work = async (open: OpenQueue | null): Promise<0 | 1> => {
      const rekey = (library: Library) => rekeyAt(library, kohas, { from, to }, open, deps);
      const passage = { at: rekey, failed: failedAt, pass, applies: apply };
      const { copies, stopped } = await goThrough(lenders, passage, report, deps);
      return printPlan(copies, MEANINGS, { applied: apply, stopped }, report);
    };
    try {
      return apply ? await withQueue(deps, work) : await work(null);
    } finally {
      kohas.close();
    }
  },
};
