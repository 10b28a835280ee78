import { type Consortium, explainConfig, type Library } from '@passport/config';
import { foldCard, sameCard } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
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
import { createEncryption } from '@passport/runtime';
import { attempt, type OpenKoha } from '../../connect/koha-clients.ts';
import { applyOption, defineCommand, findLibrary, option, required, WrongUse } from '../../program/index.ts';
import { type CopyTypes, copyTypesOf, valueOf, writeHomeKey } from './copy.ts';
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
  adopt: { good: true, says: 'will get its home key' },
  adopted: { good: true, says: 'has its home key now' },
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
  /** The library of each server's name. */
  readonly homes: ReadonlyMap<string, Library>;
  /** Called with each card that is looked up at a home library. */
  readonly noteLookUp: (patronId: number, home: string, card: string) => void;
}

/** The home keys that records here have, by Koha's number of the record. Throws KohaError. */
async function readKeys({ koha, signal }: Place, homeKey: string) {
  const owners = new Map<string, number>();
  const keyed = new Set<number>();
  for await (const { patrons } of koha.listCopies({ type: homeKey, prefix: '' }, { signal })) {
    for (const patron of patrons) {
      keyed.add(patron.patronId);
      owners.set(valueOf(patron, homeKey) ?? '', patron.patronId);
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
  if (patron.anonymized === true) return { finding: 'home_anonymized', homeKey: null };
  if (isWithheld(patron, home)) return { finding: 'not_shared', homeKey: null };
  const homeKey = homeKeyOf(home.id, patron.patronId);
  return { finding: isSomebodyElse(copy, patron) ? 'other_person' : 'adopt', homeKey };
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

/** Writes the key into a copy that is still as it was found. Throws KohaError. */
async function adoptOne(
  here: OpenKoha,
  copy: KohaPatron | null,
  types: CopyTypes,
  { before, home, homeKey }: { readonly before: KohaPatron; readonly home: string; readonly homeKey: string },
): Promise<AdoptFinding> {
  const isSame =
    copy !== null &&
    copy.anonymized !== true &&
    copy.cardnumber === before.cardnumber &&
    valueOf(copy, types.homeKey) === null &&
    valueOf(copy, types.passport) === valueOf(before, types.passport);
  if (!isSame) return 'changed_meanwhile';
  const written = await writeHomeKey(here, copy, types, { home, homeKey });
  return written === 'written' ? 'adopted' : written;
}

/** All copies at a library that have no home key. Throws KohaError when the list fails. */
async function adoptAt(
  place: Place,
  { consortium, homes, noteLookUp }: Adopting,
): Promise<CopiesAt<AdoptFinding, Server>> {
  const { library: lending, koha, signal } = place;
  const types = copyTypesOf(lending);
  const { owners, keyed } = await readKeys(place, types.homeKey);
  const lookUp = buildHomeLookUps(place, noteLookUp);
  const allTypes = passportTypes(consortium);
  const adoptable = new Map<number, { before: KohaPatron; home: string; homeKey: string }>();
  const decide = async (copy: KohaPatron): Promise<Adoption> => {
    const name = valueOf(copy, types.passport) ?? '';
    const { patronId: patron_id } = copy;
    const known = { lending: lending.id, patron_id, home_key: null, server: shownServer(name) };
    const home = homes.get(name);
    if (home === undefined) return { ...known, finding: 'unknown_server' };
    const against = decideHere(copy, lending);
    if (against !== null) return { ...known, finding: against };
    const found = await lookUp(copy, home.id);
    if (typeof found === 'string') return { ...known, finding: found };
    const { finding, homeKey } = decideAtHome(copy, found, home, allTypes);
    if (homeKey === null || finding !== 'adopt') return { ...known, home_key: homeKey, finding };
    if (owners.has(homeKey)) return { ...known, home_key: homeKey, finding: 'key_taken' };
    owners.set(homeKey, patron_id);
    adoptable.set(patron_id, { before: copy, home: home.id, homeKey });
    return { ...known, home_key: homeKey, finding };
  };
  const pages = koha.listCopies({ type: types.passport, prefix: '' }, { signal });
  return {
    plan: planList<AdoptFinding, Server>(lending, pages, NO_SERVER, async function* (copies) {
      for (const copy of copies) if (!keyed.has(copy.patronId)) yield await decide(copy);
    }),
    async apply({ patron_id: id, finding }, record) {
      const found = adoptable.get(id ?? 0);
      return found === undefined ? finding : adoptOne(koha, record, types, found);
    },
  };
}

export const copiesAdopt = defineCommand({
  summary: 'give home keys to the copies that the older plugin made',
  description:
    'Finds the copies without a home key, as the plugin Patron Passport for Koha made them, looks each card up at its home library, and ' +
    'gives the copy its home key; its passport then names the library by its id. Adopted is a copy only if exactly one living patron of ' +
    'the home library has exactly its card, and their names and birth dates agree. All others are listed with the reason and left as ' +
    'they are. Calls the home libraries one by one and never more than half of the time. Only plans without --apply.',
  examples: [
    'passport copies adopt --at riverside --map "ServerB=midland"',
    'passport copies adopt --at riverside --map "ServerB=midland" "Lake County=lakeside" --apply',
  ],
  options: {
    at: required('<library>', 'the lending library'),
    map: option<ReadonlyMap<string, string>>(
      '<server=library...>',
      'which library a server of the older plugin is',
      (made) => made.argParser(parseMap).makeOptionMandatory(),
    ),
    apply: applyOption(),
  },
  run: async ({ at, map, apply = false }, _args, report, deps): Promise<0 | 1> => {
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
      needsQueue: false,
      at: (place) => adoptAt(place, { consortium, homes, noteLookUp }),
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
