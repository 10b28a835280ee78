import { sameCard } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import { homeKeysOf } from '@passport/patron-rules';
import type { OpenQueue } from '../../connect/with-queue.ts';
import type { ReceiverClient } from '../../connect/receiver-client.ts';
import { type CliDeps, Failure } from '../../program/index.ts';
import { type CopyEnds, goneOf, openCopyEnds } from '../copies/copy-ends.ts';
import { valueOf } from '../copies/copy.ts';
import type { JournalEntry } from './journal.ts';
import { kioskScans } from './kiosk.ts';
import { removeRule } from './rule.ts';
import { MARK, type Site } from './site.ts';

/** The surname of everybody whom a run makes, and the title of its book: by it they are found again. */
export const markOf = (run: string): string => `Rehearsal-${run}`;

/** What was found of a rehearsal and what became of it. */
export interface CleanedUp {
  readonly removed: number;
  /** What carries the mark, or a number of ours, and is not certainly ours: never touched. As `LIBRARY patron NUMBER`. */
  readonly leftAlone: readonly string[];
  /** What is ours and could not be removed, and why. */
  readonly stuck: readonly string[];
}

type Of<K extends JournalEntry['kind']> = Extract<JournalEntry, { kind: K }>;
const ofKind = <K extends JournalEntry['kind']>(entries: readonly JournalEntry[], kind: K): Of<K>[] =>
  entries.filter((entry): entry is Of<K> => entry.kind === kind);

const isSame = (one: string | null, other: string): boolean =>
  one?.trim().toLowerCase() === other.toLowerCase();

/** A plugin of a Koha may put something before each card that is stored. */
const isCardOf = (stored: string | null, noted: string): boolean =>
  stored !== null && (sameCard(stored, noted) || stored.endsWith(noted));

/**
 * Whether a patron is one that this rehearsal made, or the copy of one: only with a card of the journal AND the mark of the run AND the
 * category that was noted, or the passport of a home library of the rehearsal. Everybody else is somebody. Pure.
 */
export function isOurs(
  patron: KohaPatron,
  { library }: Pick<Site, 'library'>,
  run: string,
  entries: readonly JournalEntry[],
): boolean {
  const mark = markOf(run);
  const hasMark =
    isSame(patron.surname, mark) || ((patron.surname ?? '') === '' && isSame(patron.firstname, mark));
  if (!hasMark) return false;
  const noted = ofKind(entries, 'patron').filter(({ card }) => isCardOf(patron.cardnumber, card));
  const isMade = noted.some((entry) => entry.library === library.id && entry.category === patron.categoryId);
  const passport = valueOf(patron, library.copy.passportAttribute);
  const isCopy = noted.some((entry) => entry.library !== library.id && entry.library === passport);
  return isMade || isCopy;
}

/** Ends what is still under way: a scan that a worker has in hand would make a copy behind our back. */
async function endEvents(
  entries: readonly JournalEntry[],
  { open, receiverOf, sleep }: Pick<Cleaning, 'open' | 'receiverOf' | 'sleep'>,
): Promise<void> {
  const events: { readonly library: string; readonly id: string }[] = ofKind(entries, 'event');
  const spans = new Map(ofKind(entries, 'kiosk').map((span) => [`${span.library} ${span.sinceMs}`, span]));
  for (const { library, ...span } of spans.values()) {
    const scans = await kioskScans(open, library, span);
    const begun = scans.filter(({ hasEnded }) => !hasEnded);
    events.push(...begun.map(({ state }) => ({ library, id: state.event_id })));
  }
  for (const { library, id } of events) await receiverOf(library).cancel(id);
  for (const { library, id } of events) {
    for (let looks = 0; ; looks += 1) {
      const state = await readState(receiverOf(library), id);
      if (state === 'ended') break;
      if (looks >= MOST_LOOKS)
        throw new Failure(
          `a scan of the rehearsal has not ended yet: repeat the command when the service runs`,
          { code: 'not_ended' },
        );
      await sleep(LOOK_MS);
    }
  }
}

const LOOK_MS = 100;
const MOST_LOOKS = 600;

async function readState(receiver: ReceiverClient, id: string): Promise<'ended' | 'open'> {
  try {
    const state = await receiver.read(id);
    return state?.state === 'done' || state?.state === 'failed' ? 'ended' : 'open';
  } catch (error) {
    // It came to no receiver, and a cancel has made sure that it never counts.
    if (error instanceof Failure && error.details['status'] === 404) return 'ended';
    throw error;
  }
}

/** What is noted while one Koha is cleaned. */
interface Tally {
  removed: number;
  readonly leftAlone: string[];
  readonly stuck: string[];
}

/** One Koha, and what of the run was noted for it. */
interface SiteCase {
  readonly site: Site;
  readonly run: string;
  readonly entries: readonly JournalEntry[];
  readonly tally: Tally;
}

const isAt =
  ({ library }: Site) =>
  ({ library: at }: { readonly library: string }): boolean =>
    at === library.id;

/** Removes items, after they are checked in. Returns the biblios that were theirs. */
async function removeItems({ site, run, entries, tally }: SiteCase): Promise<readonly number[]> {
  const { koha, library, branch } = site;
  const isNoted = ofKind(entries, 'biblio').some(isAt(site));
  const biblios = isNoted ? (await koha.findBiblios(markOf(run))).map(({ biblioId }) => biblioId) : [];
  const items: { itemId: number; barcode: string }[] = [];
  for (const { barcode } of ofKind(entries, 'item').filter(isAt(site))) {
    const found = await koha.findItem(barcode);
    if (found === null) continue;
    if (found.biblioId !== null && biblios.includes(found.biblioId))
      items.push({ itemId: found.itemId, barcode });
    else tally.leftAlone.push(`${library.id} item ${found.itemId}`);
  }
  // The first item is never checked out: the others are checked in by it, and it goes last.
  const [host, ...lent] = items;
  for (const { itemId, barcode } of [...lent, ...(host === undefined ? [] : [host])]) {
    let ended = await koha.removeItem(itemId);
    if (ended.kind === 'refused' && host !== undefined && host.itemId !== itemId) {
      await koha.checkIn({ itemId, barcode, hostItemId: host.itemId }, { branch });
      ended = await koha.removeItem(itemId);
    }
    if (ended.kind === 'refused')
      tally.stuck.push(`${library.id} item ${itemId}: ${ended.code ?? ended.status}`);
    else tally.removed += 1;
  }
  return biblios;
}

/** Deletes one patron of ours, after what is owed was written off; a copy's end has its receipt. */
async function removePatron({ site, tally }: SiteCase, patron: KohaPatron, ends: CopyEnds): Promise<void> {
  const { koha, library } = site;
  const { patronId, cardnumber } = patron;
  const [homeKey] = homeKeysOf(patron, library.copy);
  const begun = homeKey === undefined ? null : await ends.begin(patronId, homeKey);
  let ended = await koha.removePatron(patronId);
  if (ended.kind === 'refused' && ended.code === 'has_debt') {
    const [known] = await koha.findByCard(cardnumber ?? '', { attributes: false, balance: true });
    await koha.charge(patronId, known?.accountBalance ?? 0, 'write_off');
    ended = await koha.removePatron(patronId);
  }
  if (ended.kind === 'refused') {
    if (begun !== null) await ends.notDeleted(begun);
    tally.stuck.push(`${library.id} patron ${patronId}: ${ended.code ?? ended.status}`);
    return;
  }
  if (begun !== null) await ends.deleted(begun);
  tally.removed += 1;
}

/** Deletes everybody of the run; who was made and is not shown is not taken for gone. */
async function removePatrons(one: SiteCase, ends: CopyEnds): Promise<void> {
  const { site, run, entries, tally } = one;
  const { koha, library } = site;
  const found = new Map<number, KohaPatron>();
  for (const patron of await koha.findBySurname(markOf(run))) found.set(patron.patronId, patron);
  for (const { card } of ofKind(entries, 'patron')) {
    for (const patron of await koha.findByCard(card, { attributes: true, balance: false }))
      found.set(patron.patronId, patron);
  }
  for (const patron of found.values()) {
    if (isOurs(patron, site, run, entries)) await removePatron(one, patron, ends);
    else tally.leftAlone.push(`${library.id} patron ${patron.patronId}`);
  }
  const made = ofKind(entries, 'made').filter(isAt(site));
  const unseen = [...new Set(made.map(({ id }) => id))].filter((id) => !found.has(id));
  if (unseen.length === 0 || !(await koha.capabilities()).pluginRoutes) return;
  const gone = await goneOf(koha, unseen);
  for (const id of unseen.filter((each) => gone?.has(each) !== true))
    tally.stuck.push(`${library.id} patron ${id}: it may be there, and is not shown to the API user`);
}

/** What a clean-up works with. */
interface Cleaning {
  readonly sites: readonly Site[];
  readonly open: OpenQueue;
  readonly receiverOf: (library: string) => ReceiverClient;
  readonly deps: Pick<CliDeps, 'newId'>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Removes everything that the journal says a rehearsal has made: first its scans are ended, then items, patrons and biblios go, lending
 * libraries before home ones. Safe to repeat; what is not certainly ours stays. Throws KohaError, Failure.
 */
export async function cleanUp(
  entries: readonly JournalEntry[],
  { sites, open, receiverOf, deps, sleep }: Cleaning,
): Promise<CleanedUp> {
  await endEvents(entries, { open, receiverOf, sleep });
  const tally: Tally = { removed: 0, leftAlone: [], stuck: [] };
  for (const { run } of ofKind(entries, 'run')) {
    for (const site of sites) {
      const one = { site, run, entries, tally };
      const biblios = await removeItems(one);
      await removePatrons(one, openCopyEnds(open, site.library, deps));
      for (const rule of ofKind(entries, 'rule').filter(isAt(site))) {
        const ended = await removeRule(site, rule);
        if (ended === 'removed') tally.removed += 1;
        else if (ended !== null) tally.stuck.push(ended.stuck);
      }
      for (const biblioId of biblios) {
        const ended = await site.koha.removeBiblio(biblioId);
        if (ended.kind === 'refused')
          tally.stuck.push(`${site.library.id} biblio ${biblioId}: ${ended.code ?? ended.status}`);
        else tally.removed += 1;
      }
    }
  }
  return { ...tally, leftAlone: [...new Set(tally.leftAlone)] };
}

/** What will be made and removed, for a person to confirm. */
export const WILL_MAKE = [
  `up to 30 patrons, all in the category ${MARK} and with the surname Rehearsal-..., and their copies`,
  'one biblio, and up to 10 items of it',
  'a circulation rule for them, where none applies to copies',
  'checkouts, debts of a few units and restrictions of these patrons alone',
] as const;
