import { sameCard } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import { homeKeysOf } from '@passport/patron-rules';
import type { OpenQueue } from '../../connect/with-queue.ts';
import type { ReceiverClient } from '../../connect/receiver-client.ts';
import { type CliDeps, Failure } from '../../program/index.ts';
import { goneOf, openCopyEnds } from '../copies/copy-ends.ts';
import { valueOf } from '../copies/copy.ts';
import type { JournalEntry } from './journal.ts';
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
  receiverOf: (library: string) => ReceiverClient,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const events = ofKind(entries, 'event');
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

/** Removes what was noted of a run from one Koha. */
async function cleanSite(
  site: Site,
  run: string,
  entries: readonly JournalEntry[],
  open: OpenQueue,
  deps: Pick<CliDeps, 'newId'>,
): Promise<CleanedUp> {
  const { koha, library, branch } = site;
  const stuck: string[] = [];
  let removed = 0;
  const mark = markOf(run);
  const isHere = ({ library: at }: { readonly library: string }): boolean => at === library.id;

  const biblios = ofKind(entries, 'biblio').some(isHere) ? await koha.findBiblios(mark) : [];
  const ours = new Set(biblios.map(({ biblioId }) => biblioId));
  const items: { itemId: number; barcode: string }[] = [];
  const strangers: string[] = [];
  for (const { barcode } of ofKind(entries, 'item').filter(isHere)) {
    const found = await koha.findItem(barcode);
    if (found === null) continue;
    if (found.biblioId !== null && ours.has(found.biblioId)) items.push({ itemId: found.itemId, barcode });
    else strangers.push(`${library.id} item ${found.itemId}`);
  }
  // The first item is never checked out: the others are checked in by it, and it goes last.
  const [host, ...lent] = items;
  for (const { itemId, barcode } of [...lent, ...(host === undefined ? [] : [host])]) {
    let ended = await koha.removeItem(itemId);
    if (ended.kind === 'refused' && host !== undefined && host.itemId !== itemId) {
      await koha.checkIn({ itemId, barcode, hostItemId: host.itemId }, { branch });
      ended = await koha.removeItem(itemId);
    }
    if (ended.kind === 'refused') stuck.push(`${library.id} item ${itemId}: ${ended.code ?? ended.status}`);
    else removed += 1;
  }

  const found = new Map<number, KohaPatron>();
  for (const patron of await koha.findBySurname(mark)) found.set(patron.patronId, patron);
  for (const { card } of ofKind(entries, 'patron')) {
    for (const patron of await koha.findByCard(card, { attributes: true, balance: false }))
      found.set(patron.patronId, patron);
  }
  const ends = openCopyEnds(open, library, deps);
  for (const patron of found.values()) {
    const { patronId } = patron;
    if (!isOurs(patron, site, run, entries)) {
      strangers.push(`${library.id} patron ${patronId}`);
      continue;
    }
    const [homeKey] = homeKeysOf(patron, library.copy);
    const begun = homeKey === undefined ? null : await ends.begin(patronId, homeKey);
    let ended = await koha.removePatron(patronId);
    if (ended.kind === 'refused' && ended.code === 'has_debt') {
      const [known] = await koha.findByCard(patron.cardnumber ?? '', { attributes: false, balance: true });
      await koha.charge(patronId, known?.accountBalance ?? 0, 'write_off');
      ended = await koha.removePatron(patronId);
    }
    if (ended.kind === 'refused') {
      if (begun !== null) await ends.notDeleted(begun);
      stuck.push(`${library.id} patron ${patronId}: ${ended.code ?? ended.status}`);
      continue;
    }
    if (begun !== null) await ends.deleted(begun);
    removed += 1;
  }

  const made = new Set(
    ofKind(entries, 'made')
      .filter(isHere)
      .map(({ id }) => id),
  );
  const unseen = [...made].filter((id) => !found.has(id));
  if (unseen.length > 0 && (await koha.capabilities()).pluginRoutes) {
    const gone = await goneOf(koha, unseen);
    for (const id of unseen.filter((each) => gone?.has(each) !== true))
      stuck.push(`${library.id} patron ${id}: it may be there, and is not shown to the API user`);
  }

  for (const { biblioId } of biblios) {
    const ended = await koha.removeBiblio(biblioId);
    if (ended.kind === 'refused')
      stuck.push(`${library.id} biblio ${biblioId}: ${ended.code ?? ended.status}`);
    else removed += 1;
  }
  return { removed, leftAlone: strangers, stuck };
}

/** What a clean-up works with. */
export interface Cleaning {
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
  await endEvents(entries, receiverOf, sleep);
  let [removed, leftAlone, stuck]: [number, string[], string[]] = [0, [], []];
  for (const { run } of ofKind(entries, 'run')) {
    for (const site of sites) {
      const cleaned = await cleanSite(site, run, entries, open, deps);
      removed += cleaned.removed;
      leftAlone = [...leftAlone, ...cleaned.leftAlone];
      stuck = [...stuck, ...cleaned.stuck];
    }
  }
  return { removed, leftAlone: [...new Set(leftAlone)], stuck };
}

/** What will be made and removed, for a person to confirm. */
export const WILL_MAKE = [
  `up to 30 patrons, all in the category ${MARK} and with the surname Rehearsal-..., and their copies`,
  'one biblio, and up to 10 items of it',
  'checkouts, debts of a few units and restrictions of these patrons alone',
] as const;
