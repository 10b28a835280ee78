import type { Consortium, Library } from '@passport/config';
import { sameCard } from '@passport/contract';
import { type KohaPatron, KohaError } from '@passport/koha-client';
import {
  cleanText,
  copyCategoriesOf,
  fitText,
  homeKeyOf,
  isCopy,
  isInForeignCategory,
  isSomebodyElse,
  isWithheld,
  passportTypes,
} from '@passport/patron-rules';
import type { CliDeps } from '../cli-deps.ts';
import type { OpenKoha, OpenKohas } from '../koha-clients.ts';
import type { CopyTypes } from './copy-types.ts';
import { attributeOf } from './describe-copy.ts';
import { orFailed } from './go-through.ts';
import { buildPace } from './pace.ts';
import type { PlannedCopy } from './plan.ts';
import { type Written, writeHomeKey } from './write-copy.ts';

export type AdoptFinding =
  | 'adopt'
  | 'adopted'
  | 'unknown_server'
  | 'no_card'
  | 'not_at_home'
  | 'several_at_home'
  | 'home_anonymized'
  | 'not_shared'
  | 'other_person'
  | 'other_category'
  | 'anonymized'
  | 'unreadable'
  | 'home_failed'
  | 'home_down'
  | 'failed'
  | Exclude<Written, 'written'>;

/** The longest name of a server that is shown. */
const LONGEST_SERVER = { characters: 60 };

/** A server's name as it may be shown: it is text of whoever may write patron attributes at the lending library. */
const shownServer = (name: string): string => fitText(cleanText(name), LONGEST_SERVER);

/** A copy without a home key and what is found of it. `card` was looked up at `home`; it goes into a hash and nowhere else. */
export interface Adoption extends PlannedCopy<AdoptFinding> {
  readonly server: string | null;
  readonly home: string | null;
  readonly card: string | null;
}

export interface AdoptCase {
  readonly consortium: Consortium;
  readonly lending: Library;
  readonly types: CopyTypes;
  /** The library of each server's name. */
  readonly homes: ReadonlyMap<string, Library>;
  readonly kohas: OpenKohas;
  readonly apply: boolean;
  readonly deps: Pick<CliDeps, 'signal'>;
}

/** So many failures one after the other, and a home library is not called any more. */
const DOWN_AFTER = 3;

/** The home keys that records here have, by Koha's number of the record. Throws KohaError. */
async function readKeys(here: OpenKoha, { types, deps }: AdoptCase) {
  const owners = new Map<string, number>();
  const keyed = new Set<number>();
  const wanted = { type: types.homeKey, prefix: '' };
  for await (const { patrons } of here.listCopies(wanted, { signal: deps.signal })) {
    for (const patron of patrons) {
      keyed.add(patron.patronId);
      owners.set(attributeOf(patron, types.homeKey)?.value?.trim() ?? '', patron.patronId);
    }
  }
  return { owners, keyed };
}

/** What the record itself says against its being adopted. */
function decideHere(copy: KohaPatron, lending: Library): AdoptFinding | null {
  if (copy.anonymized === true) return 'anonymized';
  if ((copy.cardnumber ?? '').trim() === '') return 'no_card';
  const copyCategories = copyCategoriesOf(lending.copy);
  return isInForeignCategory(copy, { copyCategories }) ? 'other_category' : null;
}

/** What the home library's records with its card say. */
function decideAtHome(
  copy: KohaPatron,
  found: readonly KohaPatron[],
  home: Library,
  types: ReadonlySet<string>,
): { readonly finding: AdoptFinding; readonly homeKey: string | null } {
  const own = found.filter(
    (patron) => sameCard(patron.cardnumber ?? '', copy.cardnumber ?? '') && !isCopy(patron, types),
  );
  const [patron, another] = own;
  if (patron === undefined) return { finding: 'not_at_home', homeKey: null };
  if (another !== undefined) return { finding: 'several_at_home', homeKey: null };
  const homeKey = homeKeyOf(home.id, patron.patronId);
  if (patron.anonymized === true) return { finding: 'home_anonymized', homeKey: null };
  if (isWithheld(patron, home)) return { finding: 'not_shared', homeKey: null };
  return { finding: isSomebodyElse(copy, patron) ? 'other_person' : 'adopt', homeKey };
}

/** Looks cards up at the home libraries, one after the other; one that is down is not called for every copy. */
function buildHomeLookUps({ kohas, deps }: AdoptCase) {
  const failures = new Map<string, number>();
  const paced = buildPace(deps.signal);
  return async (
    home: Library,
    card: string,
  ): Promise<readonly KohaPatron[] | 'home_failed' | 'home_down'> => {
    const failed = failures.get(home.id) ?? 0;
    if (failed >= DOWN_AFTER) return 'home_down';
    try {
      const wanted = { attributes: true, balance: false };
      // Not broken off: it has its line in the audit.
      const found = await paced(() => kohas.of(home.id).findByCard(card, wanted));
      failures.set(home.id, 0);
      return found;
    } catch (error) {
      if (!(error instanceof KohaError)) throw error;
      failures.set(home.id, failed + 1);
      return 'home_failed';
    }
  };
}

/** Writes the key into a copy that is still as it was found; none of it is broken off. Throws KohaError. */
async function adoptOne(
  { kohas, lending, types }: AdoptCase,
  before: KohaPatron,
  home: string,
  homeKey: string,
): Promise<AdoptFinding> {
  const here = kohas.of(lending.id);
  const copy = await here.readPatron(before.patronId);
  const isSame =
    copy !== null &&
    copy.anonymized !== true &&
    copy.cardnumber === before.cardnumber &&
    attributeOf(copy, types.homeKey) === null &&
    attributeOf(copy, types.passport)?.value === attributeOf(before, types.passport)?.value;
  if (!isSame) return 'changed_meanwhile';
  const written = await writeHomeKey(here, copy, types, { home, homeKey });
  return written === 'written' ? 'adopted' : written;
}

/** All copies at a library that have no home key, each decided and with `apply` adopted. Throws KohaError when the list fails. */
export async function* adoptAt(the: AdoptCase): AsyncGenerator<Adoption, void, undefined> {
  const { consortium, lending, types, homes, kohas, apply, deps } = the;
  const here = kohas.of(lending.id);
  const { owners, keyed } = await readKeys(here, the);
  const lookUp = buildHomeLookUps(the);
  const allTypes = passportTypes(consortium);
  const adopt = async (copy: KohaPatron): Promise<Adoption> => {
    const name = attributeOf(copy, types.passport)?.value?.trim() ?? '';
    const known = {
      lending: lending.id,
      patron_id: copy.patronId,
      home_key: null,
      server: shownServer(name),
    };
    const home = homes.get(name);
    if (home === undefined) return { ...known, home: null, card: null, finding: 'unknown_server' };
    const against = decideHere(copy, lending);
    if (against !== null) return { ...known, home: home.id, card: null, finding: against };
    const card = copy.cardnumber ?? '';
    const found = await lookUp(home, card);
    if (found === 'home_down') return { ...known, home: home.id, card: null, finding: found };
    const looked = { ...known, home: home.id, card };
    if (found === 'home_failed') return { ...looked, finding: found };
    const { finding, homeKey } = decideAtHome(copy, found, home, allTypes);
    if (homeKey === null || finding !== 'adopt') return { ...looked, home_key: homeKey, finding };
    if (owners.has(homeKey)) return { ...looked, home_key: homeKey, finding: 'key_taken' };
    owners.set(homeKey, copy.patronId);
    const done = apply ? await orFailed(() => adoptOne(the, copy, home.id, homeKey)) : finding;
    return { ...looked, home_key: homeKey, finding: done };
  };
  const wanted = { type: types.passport, prefix: '' };
  for await (const { patrons, unreadable, broken } of here.listCopies(wanted, { signal: deps.signal })) {
    for (const copy of patrons) if (!keyed.has(copy.patronId)) yield await adopt(copy);
    for (const id of [...unreadable, ...Array<null>(broken).fill(null)]) {
      const unknown = { lending: lending.id, patron_id: id, home_key: null, server: null };
      yield { ...unknown, home: null, card: null, finding: 'unreadable' };
    }
  }
}
