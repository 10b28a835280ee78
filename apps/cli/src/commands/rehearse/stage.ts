import { setTimeout as wait } from 'node:timers/promises';
import type { Consortium } from '@passport/config';
import type { EventState } from '@passport/contract';
import { KohaError, type KohaPatron, type PatronBody } from '@passport/koha-client';
import { homeKeyOf } from '@passport/patron-rules';
import type { ReceiverClient } from '../../connect/receiver-client.ts';
import { type CliDeps, localTimestamp } from '../../program/index.ts';
import type { CopyEnds } from '../copies/copy-ends.ts';
import { followEvent } from '../send.ts';
import { isOurs, markOf } from './clean-up.ts';
import type { JournalEntry } from './journal.ts';
import { buildKiosk, type KioskParts } from './kiosk.ts';
import { ensureRule } from './rule.ts';
import { MARK, type Site } from './site.ts';
import { Differs, NotTried } from './trial.ts';

/** Somebody whom the rehearsal made. */
export interface Actor {
  readonly site: Site;
  readonly patronId: number;
  readonly card: string;
  readonly surname: string | null;
  readonly firstname: string;
}

/** An item that the rehearsal made. */
interface Prop {
  readonly barcode: string;
  readonly itemId: number;
}

/** How a scan went: its last state, and the milliseconds from the report to its end. */
interface Scanned {
  readonly state: EventState | null;
  readonly ms: number;
}

/** What the scenarios of one rehearsal have in common. */
interface StageParts extends KioskParts {
  readonly run: string;
  readonly home: Site | null;
  readonly secondHome: Site | null;
  readonly receiver: ReceiverClient;
  readonly consortium: Consortium;
  /** What is put on record of the ends of copies. */
  readonly ends: CopyEnds;
  readonly itemType: string;
  /** A card number that nobody had a moment ago. */
  readonly newCard: () => string;
  readonly deps: CliDeps;
}

const LOOK_MS = 100;
const MOST_CARDS = 5;

/** Where a scenario notes what is not as it should be, in codes and numbers, and how long its scans took. */
function buildNotes() {
  const differences: string[] = [];
  const remarks: string[] = [];
  const times: number[] = [];
  const differ = (what: string): void => void differences.push(what);
  const check = (what: string, actual: unknown, expected: unknown): boolean => {
    if (actual === expected) return true;
    differ(`${what}: expected ${shown(expected)}, was ${shown(actual)}`);
    return false;
  };
  return { differences, remarks, times, differ, check };
}
type Notes = ReturnType<typeof buildNotes>;

const look = (site: Site, card: string): Promise<KohaPatron[]> =>
  site.koha.findByCard(card, { attributes: true, balance: false });

/** Makes people and items, each noted before. */
function buildMaker({ run, lending, journal, newCard, itemType }: StageParts, { differ }: Notes) {
  const mark = markOf(run);
  const props: Prop[] = [];

  /** Makes a patron; `change` replaces keys of the body. A card that somebody has by chance is left to them. */
  async function makeActor(site: Site, role: string, change: Partial<PatronBody> = {}): Promise<Actor> {
    for (let tries = 0; tries < MOST_CARDS; tries += 1) {
      const body: PatronBody = {
        cardnumber: newCard(),
        surname: mark,
        firstname: role,
        date_of_birth: '1980-02-29',
        address: '1 Rehearsal Row',
        city: 'Rehearsal',
        library_id: site.branch,
        category_id: MARK,
        expiry_date: '2099-12-31',
        ...change,
      };
      const { cardnumber: card, category_id: category } = body;
      const noted = { kind: 'patron', library: site.library.id, card, category } as const;
      await journal.note(noted);
      const made = await createOnce(site, body);
      if (made.kind === 'created') {
        await journal.note({ kind: 'made', library: site.library.id, id: made.patronId });
        if (made.hidden)
          throw new Differs(
            `${site.library.id} hides whom it has just created: borrowers: view_borrower_infos_from_any_libraries`,
          );
        const actor = { site, patronId: made.patronId, card, surname: body.surname, firstname: role };
        await confirmOurs(actor, run, noted);
        return actor;
      }
      if (made.kind !== 'card_taken')
        throw new Differs(`${site.library.id} does not create a patron: ${reasonOf(made)}`);
    }
    throw new Differs(`${site.library.id} has all the cards that were tried: give another --card-format`);
  }

  /** The n-th item of the rehearsal's book, from 0, which is never checked out: by it the others are checked in. */
  async function makeProps(count: number): Promise<void> {
    await journal.note({ kind: 'biblio', library: lending.library.id, title: mark });
    const biblio = await lending.koha.makeBiblio(mark);
    if (biblio.kind === 'refused')
      throw new Differs(`${lending.library.id} makes no biblio: ${biblio.code ?? biblio.status}`);
    for (let n = 0; n < count; n += 1) {
      const barcode = `PPR${run}${String(n).padStart(2, '0')}`;
      await journal.note({ kind: 'item', library: lending.library.id, barcode });
      const item = await lending.koha.makeItem({
        biblioId: biblio.id,
        barcode,
        branch: lending.branch,
        itemType,
      });
      if (item.kind === 'refused')
        throw new Differs(`${lending.library.id} makes no item: ${item.code ?? item.status}`);
      props.push({ barcode, itemId: item.id });
    }
  }

  /** An item that no scenario has had yet. */
  function takeProp(): Prop {
    const prop = props.splice(1, 1)[0];
    if (prop === undefined) throw new NotTried('no item could be made');
    return prop;
  }

  async function checkIn(prop: Prop): Promise<void> {
    const [host] = props;
    if (host === undefined) return;
    const done = await lending.koha.checkIn({ ...prop, hostItemId: host.itemId }, { branch: lending.branch });
    if (done.kind === 'refused') differ(`the item is not checked in: ${done.code ?? done.status}`);
  }

  return { makeActor, makeProps, takeProp, checkIn };
}

/** What is done to an actor is done by the number that Koha has answered: whom it shows by the card has to have it. */
async function confirmOurs({ site, patronId, card }: Actor, run: string, noted: JournalEntry): Promise<void> {
  const there = (await look(site, card)).find((each) => each.patronId === patronId);
  if (there === undefined || !isOurs(there, site, run, [noted]))
    throw new Differs(
      `${site.library.id} does not show, by the card, the patron whose number it has answered: nothing is done to it`,
    );
}

/** After a lost answer whoever has the card and the mark is the one who was made. */
async function createOnce(site: Site, body: PatronBody) {
  const how = { branch: site.branch, confirmNotDuplicate: true };
  try {
    return await site.koha.createPatron(body, how);
  } catch (error) {
    if (!(error instanceof KohaError) || error.effect === 'none') throw error;
    const [there] = await look(site, body.cardnumber);
    if (there === undefined || there.surname?.toLowerCase() !== body.surname?.toLowerCase()) throw error;
    return { kind: 'created', patronId: there.patronId, hidden: false } as const;
  }
}

/** Reports scans, and follows them. */
function buildScanner({ lending, journal, receiver, forMs, deps }: StageParts, { times }: Notes) {
  /** Reports a scan as the library's plugin does, and follows it to its end; the patron says yes where there is a question. */
  async function scan(
    card: string,
    { prop = null, answer = 'yes', cancelFirst = false }: ScanPlan = {},
  ): Promise<Scanned> {
    const id = deps.newId();
    await journal.note({ kind: 'event', library: lending.library.id, id });
    const event = {
      type: 'patron.not_found',
      timestamp: localTimestamp(deps.now()),
      data: {
        cardnumber: card,
        branch: lending.branch,
        ...(prop === null ? {} : { item_barcode: prop.barcode }),
        interface: 'staff',
      },
    };
    if (cancelFirst) await receiver.cancel(id);
    const startedAt = performance.now();
    const { eventId } = await receiver.send(id, event);
    let asked: string | null = null;
    let held: EventState['waiting_for'] = null;
    const report = ({ consent, waiting_for: waits }: EventState): void => {
      asked = consent?.text_id ?? asked;
      // A try under way hides what the last one waited for.
      held = waits ?? held;
    };
    let answered = false;
    const watched = {
      async read(of: string) {
        const state = await receiver.read(of);
        if (state !== null) report(state);
        if (asked !== null && !answered) {
          answered = true;
          await receiver.consent(of, { answer, text_id: asked });
        }
        return state;
      },
    };
    const state = await followEvent(watched, eventId, { forMs, report }, deps);
    const ms = performance.now() - startedAt;
    if (state?.state !== 'done' && state?.state !== 'failed') {
      await receiver.cancel(eventId);
      const why = describeWait(held);
      throw new Differs(`the scan has not ended after ${Math.round(forMs / 1000)} s${why}`);
    }
    times.push(ms);
    if (state.outcome === 'COPIED' && state.patron_id !== null)
      await journal.note({ kind: 'made', library: lending.library.id, id: state.patron_id });
    return { state, ms };
  }

  return { scan };
}

/** Compares what a scan came to, in codes. */
function checkEnd(
  { differ }: Notes,
  { state }: Scanned,
  want: { readonly outcome: string; readonly checkout?: string; readonly reasons?: readonly string[] },
): boolean {
  const problem = state?.problem ?? null;
  const more =
    problem === null
      ? ''
      : ` (${problem.library}: ${problem.what} ${problem.name ?? ''})`.replace(/ \)$/, ')');
  const isSo = state?.outcome === want.outcome;
  if (!isSo) differ(`outcome: expected ${want.outcome}, was ${state?.outcome ?? 'none'}${more}`);
  if (want.checkout !== undefined) {
    const { result = 'none', keys = [] } = state?.checkout ?? {};
    if (result !== want.checkout)
      differ(`checkout: expected ${want.checkout}, was ${[result, ...keys].join(' ')}`);
  }
  for (const reason of want.reasons ?? []) {
    if (state?.reasons.some((each) => each === reason) !== true)
      differ(`reasons: expected ${reason}, was ${state?.reasons.join(' ') || 'none'}`);
  }
  return isSo;
}

/** Looks at what is in the Kohas. */
function buildLooks({ lending, forMs, deps }: StageParts, { check }: Notes) {
  async function checkNobody(card: string): Promise<void> {
    check(`patrons at ${lending.library.id} with the card`, (await look(lending, card)).length, 0);
  }

  /** The copy of an actor, read back by card, by number and by home key, and compared with the record at home. */
  async function checkCopy(actor: Actor, patronId: number | null, card = actor.card): Promise<KohaPatron> {
    const { library, koha } = lending;
    const { copy: policy } = library;
    const homeKey = homeKeyOf(actor.site.library.id, actor.patronId);
    const found = await look(lending, card);
    const [copy] = found;
    check(`patrons at ${library.id} with the card`, found.length, 1);
    if (copy === undefined) throw new Differs(`${library.id} does not show the copy by its card`);
    check('number of the copy in the report and in Koha', patronId, copy.patronId);
    const byId = await koha.readPatron(copy.patronId);
    if (byId === null) throw new Differs(`${library.id} does not show the copy by its number`);
    const valueOf = (type: string): string | null =>
      byId.attributes?.find((each) => each.type === type)?.value ?? null;
    check('passport', valueOf(policy.passportAttribute), actor.site.library.id);
    if (policy.homeKeyAttribute !== null) {
      check('home key', valueOf(policy.homeKeyAttribute), homeKey);
      const byKey = await koha.findByAttribute(policy.homeKeyAttribute, homeKey);
      check('patrons with the home key', byKey.map((each) => each.patronId).join(' '), String(copy.patronId));
    }
    const [atHome] = await look(actor.site, card);
    check('surname as at home', byId.surname === atHome?.surname, true);
    check('first name as at home', byId.firstname === atHome?.firstname, true);
    check('restricted', byId.restricted, false);
    check('card as at home', byId.cardnumber === atHome?.cardnumber, true);
    return byId;
  }

  /** Looks until something is so; what never is, is a difference. */
  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const endsAt = deps.now() + forMs; ;) {
      if (await isSo()) return;
      if (deps.now() >= endsAt || deps.signal.aborted)
        throw new Differs(`${what}: not within ${Math.round(forMs / 1000)} s`);
      await wait(LOOK_MS, undefined, { signal: deps.signal }).catch(() => undefined);
    }
  }

  /** Waits until the plugin of the lending library has stored what was written into a copy. */
  const untilRemembered = (patronId: number): Promise<void> =>
    until(`${lending.library.id} stores what was written into the copy`, async () => {
      const range = { after: patronId - 1, upTo: patronId, wanted: [patronId] };
      const rows = await lending.koha.readRememberedCopies(range, { signal: deps.signal });
      if (rows === null) throw new NotTried(`${lending.library.id} has no plugin that stores it`);
      return rows.length > 0;
    });

  return { look, checkNobody, checkCopy, until, untilRemembered };
}

/** Everything that scenarios do. */
export function buildStage(parts: StageParts) {
  const notes = buildNotes();
  const maker = buildMaker(parts, notes);
  const { scan } = buildScanner(parts, notes);
  const looks = buildLooks(parts, notes);
  const kiosk = buildKiosk(parts, { ...notes, ...looks });
  const need = (site: Site | null, why: string): Site => {
    if (site === null) throw new NotTried(why);
    return site;
  };
  const homeSite = (): Site => need(parts.home, 'it needs a home library: --home');

  /** A copy, made by a scan. */
  async function makeCopy(role: string): Promise<{ readonly actor: Actor; readonly copy: KohaPatron }> {
    const actor = await maker.makeActor(homeSite(), role);
    const scanned = await scan(actor.card);
    if (!checkEnd(notes, scanned, { outcome: 'COPIED' })) throw new Differs('there is no copy to go on with');
    return { actor, copy: await looks.checkCopy(actor, scanned.state?.patron_id ?? null) };
  }

  return {
    ...parts,
    ...notes,
    ...maker,
    ...looks,
    ...kiosk,
    ensureRule: () =>
      ensureRule(parts.lending, parts.itemType, parts.journal, (what) => void notes.remarks.push(what)),
    mark: markOf(parts.run),
    homeSite,
    secondHomeSite: () => need(parts.secondHome, 'it needs a third library: --second-home'),
    scan,
    checkEnd: (scanned: Scanned, want: WantedEnd) => checkEnd(notes, scanned, want),
    makeCopy,
  };
}
export type Stage = ReturnType<typeof buildStage>;

/** What a scan is to come to. */
interface WantedEnd {
  readonly outcome: string;
  readonly checkout?: string;
  readonly reasons?: readonly string[];
}

const describeWait = (held: EventState['waiting_for']): string =>
  held === null ? '' : `: it waits for ${held.library}, ${held.reason}`;

interface ScanPlan {
  readonly prop?: Prop | null;
  readonly answer?: 'yes' | 'no';
  readonly cancelFirst?: boolean;
}

/** Codes, numbers and flags; longer text is none of these. */
const shown = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, 80) || 'nothing' : String(value);

const reasonOf = (made: {
  readonly kind: string;
  readonly what?: string;
  readonly name?: string | null;
}): string =>
  made.kind === 'refused' ? [made.what, made.name].filter((part) => part !== null).join(' ') : made.kind;
