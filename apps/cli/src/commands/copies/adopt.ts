import { type Consortium, explainConfig, type Library } from '@passport/config';
import { foldCard, sameCard } from '@passport/contract';
import { type KohaPatron, storeRemembered } from '@passport/koha-client';
import {
  buildPatronCopy,
  cleanText,
  copyCategoriesOf,
  equalValues,
  fitText,
  hashedFields,
  homeKeyOf,
  homeKeysOf,
  isCopy,
  isInForeignCategory,
  isMergedCopy,
  isOwnCard,
  isSomebodyElse,
  isWithheld,
  passesCategoryFilter,
  passportTypes,
  wantedValues,
} from '@passport/patron-rules';
import { readCopyRecords, readFindings } from '@passport/queue/copies';
import { createEncryption, type Encryption } from '@passport/runtime';
import { attempt } from '../../connect/koha-clients.ts';
import { splitHomeKey } from '../../places/home-key.ts';
import {
  applyOption,
  defineCommand,
  findLibrary,
  localDay,
  option,
  required,
  WrongUse,
} from '../../program/index.ts';
import { copyTypesOf, rememberedKeys, valueOf, writeHomeKey } from './copy.ts';
import {
  buildPace,
  type CopiesAt,
  type CopyWork,
  goThrough,
  type Meanings,
  type Place,
  type Planned,
  planList,
  printPlan,
  SHARED_MEANINGS,
} from './plan.ts';

const { anonymized, key_taken, no_attribute_type, changed_meanwhile, unreadable, failed } = SHARED_MEANINGS;
const MEANINGS = {
  anonymized,
  key_taken,
  no_attribute_type,
  changed_meanwhile,
  unreadable,
  failed,
  adopt: { good: true, says: 'will get its home key, where it has none, and be followed' },
  adopted: { good: true, says: 'has its home key, and is on record and remembered now' },
  merged: { says: 'a copy was merged into this own patron of the library: it is never adopted' },
  other_number: { says: 'the home library has the card under another number: the next sweep looks at it' },
  unknown_server: { says: 'the passport names a server that --map does not have' },
  no_card: { says: 'the record has no card' },
  not_at_home: { says: 'the home library has no patron with exactly this card' },
  several_at_home: { says: 'the home library has several patrons with this card' },
  home_anonymized: { says: 'the home library has anonymised its patron' },
  not_shared: { says: 'the home library does not share this patron' },
  other_person: { says: 'the names or birth dates do not agree: somebody else has the card at home' },
  other_category: { says: 'no copy is in this category: list it in copy.former_categories if copies were' },
  home_failed: { says: 'the home library did not answer: repeat the command' },
  home_down: {
    says: 'not looked up, because the home library did not answer for those before: repeat the command',
  },
} as const satisfies Meanings<string>;
type AdoptFinding = keyof typeof MEANINGS;

/** The longest name of a server that is shown. */
const LONGEST_SERVER = { characters: 60 };
/** More names on the terminal say no more; `--json` has all. */
const MOST_SERVERS = 20;
/** So many failures one after the other, and a home library is not called any more. */
const DOWN_AFTER = 3;

/** A server's name as it may be shown: it is text of whoever may write patron attributes at the lending library. */
const shownServer = (name: string): string => fitText(cleanText(name), LONGEST_SERVER);

/** The server that the passport of a copy names. */
interface Server {
  readonly server: string | null;
}
const NO_SERVER: Server = { server: null };
type Adoption = Planned<AdoptFinding, Server>;

/** `ServerB=midland`, any number of them. */
function parseMap(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.lastIndexOf('=');
  const [server, library] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 1 || server === '' || library === '') {
    throw new WrongUse(`--map takes SERVER=LIBRARY, such as "ServerB=midland"`);
  }
  return new Map([...before, [server, library]]);
}

/** Each server's library, checked: it is in the configuration, and its patrons may borrow here. */
function homesOf(consortium: Consortium, lending: Library, map: ReadonlyMap<string, string>) {
  const homes = consortium.agreements.homesAt(lending.id);
  const named = [...map].map(([server, id]): [string, Library] => {
    const home = findLibrary(consortium, id);
    if (!homes.has(id)) throw new WrongUse(`no agreement lets patrons of ${id} borrow at ${lending.id}`);
    return [server, home];
  });
  // A passport that names a library by its id is understood without a word.
  const own = [...homes].map((id): [string, Library] => [id, findLibrary(consortium, id)]);
  return new Map([...own, ...named]);
}

interface Adopting {
  readonly consortium: Consortium;
  readonly encryption: Pick<Encryption, 'hash'>;
  readonly now: () => number;
  /** The library of each server's name. */
  readonly homes: ReadonlyMap<string, Library>;
  /** Called with each card that is looked up at a home library. */
  readonly noteLookUp: (patronId: number, home: string, card: string) => void;
}

/** The home keys that records here have, by Koha's number of the record, and whose each is. Throws KohaError. */
async function readKeys({ koha, signal }: Place, homeKey: string) {
  const owners = new Map<string, number>();
  const keyed = new Map<number, string>();
  for await (const { patrons } of koha.listCopies({ type: homeKey, prefix: '' }, { signal })) {
    for (const patron of patrons) {
      const keys = homeKeysOf(patron, { homeKeyAttribute: homeKey });
      keyed.set(patron.patronId, keys.join(' '));
      for (const key of keys) owners.set(key, patron.patronId);
    }
  }
  return { owners, keyed };
}

/**
 * Which of these copies are followed already: on record and remembered under the home key that they show, and nothing of that is open.
 * Where the Koha has no plugin, being on record is all there can be. Throws KohaError.
 */
async function readFollowed(
  { library: { id }, koha, open, signal }: Place,
  keyed: ReadonlyMap<number, string>,
  patronIds: readonly number[],
): Promise<ReadonlySet<number>> {
  if (open === null) return new Set();
  const records = await readCopyRecords(open.redis, id, patronIds);
  const remembered = await rememberedKeys(koha, patronIds, { signal });
  const listed = (await readFindings(open.redis, id)).filter(({ finding }) => finding === 'NOT_REMEMBERED');
  const isOpen = new Set(listed.map(({ patronId }) => patronId));
  const isFollowed = (patronId: number): boolean => {
    const key = keyed.get(patronId);
    const isRecorded = key !== undefined && records.get(patronId)?.homeKey === key;
    const isRemembered = remembered === null || remembered.get(patronId) === key;
    return isRecorded && isRemembered && !isOpen.has(patronId);
  };
  return new Set(patronIds.filter(isFollowed));
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
): { readonly finding: AdoptFinding; readonly homeKey: string | null; readonly atHome?: KohaPatron } {
  const own = found.filter(
    (patron) => sameCard(patron.cardnumber ?? '', copy.cardnumber ?? '') && !isCopy(patron, types),
  );
  const [patron, another] = own;
  if (patron === undefined) return { finding: 'not_at_home', homeKey: null };
  if (another !== undefined) return { finding: 'several_at_home', homeKey: null };
  if (patron.anonymized === true) return { finding: 'home_anonymized', homeKey: null };
  if (isWithheld(patron, home)) return { finding: 'not_shared', homeKey: null };
  const homeKey = homeKeyOf(home.id, patron.patronId);
  return { finding: isSomebodyElse(copy, patron) ? 'other_person' : 'adopt', homeKey, atHome: patron };
}

/** Looks cards up at the home libraries, one after the other; one that is down is not called for every copy. */
function buildHomeLookUps({ kohaOf, signal }: Place, noteLookUp: Adopting['noteLookUp']) {
  const failures = new Map<string, number>();
  const paced = buildPace(signal);
  return async (copy: KohaPatron, home: string): Promise<readonly KohaPatron[] | AdoptFinding> => {
    const before = failures.get(home) ?? 0;
    if (before >= DOWN_AFTER) return 'home_down';
    const card = copy.cardnumber ?? '';
    noteLookUp(copy.patronId, home, card);
    const wanted = { attributes: true, balance: false };
    // Not broken off: it has its line in the audit.
    const found = await paced(() => attempt(kohaOf(home).findByCard(card, wanted)));
    failures.set(home, 'error' in found ? before + 1 : 0);
    return 'error' in found ? 'home_failed' : found.value;
  };
}

/** A copy that was found good: as it was, its home, and its patron's record there. */
interface Adoptable {
  readonly before: KohaPatron;
  /** The home key that it had; null: none. */
  readonly key: string | null;
  readonly home: Library;
  readonly homeKey: string;
  readonly atHome: KohaPatron;
}

/**
 * Adopts a copy that is still as it was found: its home key where it has none, what the plugin is to remember, and last its record with
 * the receipt, by which it is followed from then on. What an interrupted run leaves is found again by the next one. Throws KohaError.
 */
async function adoptOne(
  { koha, library: lending, ends }: Place,
  copy: KohaPatron | null,
  { before, key, home, homeKey, atHome }: Adoptable,
  { consortium, encryption, now }: Adopting,
): Promise<AdoptFinding> {
  const types = copyTypesOf(lending);
  const isSame =
    copy !== null &&
    copy.anonymized !== true &&
    copy.cardnumber === before.cardnumber &&
    homeKeysOf(copy, lending.copy).join() === (key ?? '') &&
    valueOf(copy, types.passport) === valueOf(before, types.passport);
  if (!isSame || ends === null) return 'changed_meanwhile';
  const agreement = consortium.agreements.at(lending.id).find((each) => each.home === home.id);
  if (agreement === undefined) return 'not_shared';
  const today = localDay(now());
  const accepts = (): boolean => true;
  const of = { patron: atHome, home, agreement, lending, branch: copy.libraryId, scannedOn: today, accepts };
  const made = buildPatronCopy(of);
  if (made.kind !== 'copy') return 'not_shared';
  const written = await writeHomeKey(koha, copy, types, { home: home.id, homeKey });
  if (written !== 'written') return written;
  const { patronId } = copy;
  const values = equalValues(copy, wantedValues(made, lending.copy.expiry));
  const by = { encryption, at: Math.floor(now() / 1000), event: `adopt-${patronId}` };
  const fields = hashedFields({ lending: lending.id, patronId, homeKey }, values, by);
  await storeRemembered(koha, { patronId, homeKey }, (known) => ({ ...known, ...fields }));
  await ends.adopted(patronId, homeKey, Object.keys(values));
  return 'adopted';
}

/** All copies at a library that have no home key, or that the service does not follow. Throws KohaError when the list fails. */
async function adoptAt(place: Place, adopting: Adopting): Promise<CopiesAt<AdoptFinding, Server>> {
  const { library: lending, koha, signal } = place;
  const { consortium, homes, noteLookUp } = adopting;
  const types = copyTypesOf(lending);
  const { owners, keyed } = await readKeys(place, types.homeKey);
  const lookUp = buildHomeLookUps(place, noteLookUp);
  const allTypes = passportTypes(consortium);
  const copyCategories = copyCategoriesOf(lending.copy);
  const adoptable = new Map<number, Adoptable>();
  const decide = async (copy: KohaPatron): Promise<Adoption | null> => {
    const { patronId: patron_id } = copy;
    const key = keyed.get(patron_id) ?? null;
    const name = (key === null ? valueOf(copy, types.passport) : splitHomeKey(key)?.home) ?? '';
    const known = { lending: lending.id, patron_id, home_key: key, server: shownServer(name) };
    const home = homes.get(name);
    if (key?.includes(' ') === true) return { ...known, home_key: null, finding: 'merged' };
    // A home key of a library that nobody may come from is for `rekey`.
    if (home === undefined) return key === null ? { ...known, finding: 'unknown_server' } : null;
    const against = decideHere(copy, lending);
    if (against !== null) return { ...known, finding: against };
    const looked = await lookUp(copy, home.id);
    if (typeof looked === 'string') return { ...known, finding: looked };
    const { finding, homeKey, atHome } = decideAtHome(copy, looked, home, allTypes);
    if (homeKey === null || atHome === undefined || finding !== 'adopt')
      return { ...known, home_key: key ?? homeKey, finding };
    if (key !== null && key !== homeKey) return { ...known, finding: 'other_number' };
    if (key !== null && isMergedCopy(copy, { ...lending.copy, copyCategories, homeRecord: atHome }))
      return { ...known, finding: 'merged' };
    const agreement = consortium.agreements.at(lending.id).find((each) => each.home === home.id);
    const isShared =
      agreement !== undefined &&
      passesCategoryFilter(agreement.categories, atHome.categoryId) === true &&
      isOwnCard(consortium, home, atHome.cardnumber ?? '');
    if (!isShared) return { ...known, finding: 'not_shared' };
    if ((owners.get(homeKey) ?? patron_id) !== patron_id)
      return { ...known, home_key: homeKey, finding: 'key_taken' };
    owners.set(homeKey, patron_id);
    adoptable.set(patron_id, { before: copy, key, home, homeKey, atHome });
    return { ...known, home_key: homeKey, finding };
  };
  const pages = koha.listCopies({ type: types.passport, prefix: '' }, { signal });
  return {
    plan: planList<AdoptFinding, Server>(lending, pages, NO_SERVER, async function* (copies) {
      const withKey = copies.flatMap(({ patronId }) => (keyed.has(patronId) ? [patronId] : []));
      const followed = await readFollowed(place, keyed, withKey);
      for (const copy of copies) {
        const found = followed.has(copy.patronId) ? null : await decide(copy);
        if (found !== null) yield found;
      }
    }),
    async apply({ patron_id: id, finding }, record) {
      const found = adoptable.get(id ?? 0);
      return found === undefined ? finding : adoptOne(place, record, found, adopting);
    },
  };
}

export const copiesAdopt = defineCommand({
  summary: 'have copies followed that the older plugin, or an older version, made',
  description:
    'Finds the copies without a home key, as the plugin Patron Passport for Koha made them, and those that are not on record or that the ' +
    'plugin does not remember, as versions before made them. Looks each card up at its home library, gives the copy its home key where ' +
    'it has none (its passport then names the library by its id), has the plugin remember the fields that equal those at home, and puts ' +
    'it on record, with a receipt: from then on it is refreshed, read for debts, deleted and erased as any other. Adopted is a copy only if exactly one ' +
    'living patron of the home library has exactly its card, under the number of its home key, and their names and birth dates agree. All others are listed with the reason and left as ' +
    'they are. Calls the home libraries one by one and never more than half of the time. Only plans without --apply.',
  examples: [
    'passport copies adopt --at riverside',
    'passport copies adopt --at riverside --map "ServerB=midland"',
    'passport copies adopt --at riverside --map "ServerB=midland" "Lake County=lakeside" --apply',
  ],
  options: {
    at: required('<library>', 'the lending library'),
    map: option<ReadonlyMap<string, string> | undefined>(
      '<server=library...>',
      'which library a server of the older plugin is',
      (made) => made.argParser(parseMap),
    ),
    apply: applyOption(),
  },
  run: async ({ at, map = new Map(), apply = false }, _args, report, deps): Promise<0 | 1> => {
    const { consortium, keys } = explainConfig(deps.env, deps.readFile);
    const lending = findLibrary(consortium, at);
    copyTypesOf(lending);
    const homes = homesOf(consortium, lending, map);
    const encryption = createEncryption(keys.map((key) => key.reveal()));
    // A card that was looked up is in the audit by its hash, as a scan's, and nowhere else.
    const lookedUp = new Map<number, object>();
    const noteLookUp = (patronId: number, home: string, card: string): void =>
      void lookedUp.set(patronId, { queried: home, card_hash: encryption.hash('card', foldCard(card)) });
    const work: CopyWork<AdoptFinding, Server> = {
      action: 'copies_adopt',
      auditOf: ({ patron_id: id }) => lookedUp.get(id ?? 0) ?? {},
      lenders: [lending],
      called: [lending, ...new Set(homes.values())],
      applies: apply,
      needsQueue: true,
      at: (place) => adoptAt(place, { consortium, homes, encryption, now: deps.now, noteLookUp }),
      todo: ['adopt'],
      nothing: NO_SERVER,
    };
    const ran = await goThrough(work, report, deps);
    const unknown = ran.copies.filter(({ finding }) => finding === 'unknown_server');
    const servers = [...new Set(unknown.map(({ server }) => server ?? ''))];
    for (const server of servers.slice(0, MOST_SERVERS)) report.progress(`unknown server: "${server}"`);
    if (servers.length > MOST_SERVERS)
      report.progress(`and ${servers.length - MOST_SERVERS} other unknown servers`);
    return printPlan(ran, MEANINGS, { more: { unknown_servers: servers } }, report);
  },
});
