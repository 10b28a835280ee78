import type { ChaosEvent } from './chaos-events.ts';
import type { FaultSpan } from './chaos-faults.ts';
import type { EventEnd } from './chaos-findings.ts';
import type { ChaosLibrary } from './chaos-libraries.ts';
import { type ChaosPerson, type LocalEdit, MOST_OWED } from './chaos-people.ts';
import type { Wire, WireWrite } from './chaos-wire.ts';

/** What must be zero, each with the first few cases. */
export type Disclosures = Readonly<Record<DisclosureName, readonly string[]>>;
export type DisclosureName =
  | 'values without a receipt'
  | 'receipts without a value'
  | 'values without consent'
  | 'values against a no'
  | 'local edits overwritten'
  | 'restrictions for debts read once'
  | 'copies without a record';

/** A receipt as it is in Redis. */
export interface StoredReceipt {
  readonly at: string;
  readonly lending: string;
  readonly homeKey: string;
  readonly fields: readonly string[];
  readonly what?: string;
  readonly consent?: unknown;
}

/** A copy that is at a lending library. */
export interface CopyThere {
  readonly lender: ChaosLibrary;
  readonly patronId: number;
  readonly homeKey: string;
}

/** All of a run that the check of its disclosures needs. */
export interface Disclosed {
  readonly wire: Wire;
  readonly receipts: readonly StoredReceipt[];
  /** Home keys by lending library and number, as the service has them on record: `riverside 402`. */
  readonly records: ReadonlyMap<string, string>;
  readonly copies: readonly CopyThere[];
  readonly people: readonly ChaosPerson[];
  readonly ends: readonly EventEnd[];
  readonly edits: readonly LocalEdit[];
  /** When processes and Redis were broken. */
  readonly faults: readonly FaultSpan[];
}

/** What was found, and how much the faults of the run excuse. */
export interface DisclosureReport {
  readonly wrongs: Disclosures;
  readonly counts: Readonly<
    Record<
      'values' | 'receipts' | 'receiptsExcused' | 'localEdits' | 'localEditsRaced' | 'owedRestrictions',
      number
    >
  >;
}

/** Who agrees to be copied agrees to these: they are the membership, not the person. */
const OF_EVERY_COPY = ['cardnumber', 'expiry_date', 'restricted', 'patron_card_lost'];

/**
 * A receipt is written before its value leaves: who was killed, or lost Redis, between the two may have left the receipt alone. What
 * can lie between them is what a call waits for (a desk that is busy 5 s, its turn at a library, pauses of 1 and 4 s between tries). A value that is still
 * due then is passed on by a later run, and only what no run passed on any more needs this excuse.
 */
const BETWEEN_MS = 15_000;
const CLOCK_MS = 1_000;

/**
 * Between the read of a copy and its change a sweep pauses for as long as the read took (2 s at most), and waits up to 5 s for the desks: the
 * race that docs/decisions/0029-copies-that-follow-home.md names. A second more for the calls themselves.
 */
const RACE_MS = 8_000;
/** How long before a change the read is that it rests on. */
const BASIS_MS = 60_000;

/** Holds what arrived at the lending Kohas against receipts, records, consents and the edits of their staff. */
export function findDisclosures(input: Disclosed): DisclosureReport {
  const writes = withHomeKeys(input);
  const values = valuesOn(writes, input.ends);
  const receipts = receiptsBy(input.receipts);
  const alone = [...receipts].filter(([value]) => !values.has(value) && !isOfScannedCard(value, input));
  const unexcused = alone.filter(([, those]) => !those.every((each) => isExcused(each, input)));
  const edits = editsOverwritten(input);
  return {
    wrongs: {
      'values without a receipt': [...values].filter((value) => !receipts.has(value)),
      'receipts without a value': unexcused.map(
        ([value, those]) => `${value} at ${those.map(({ at }) => at).join(' ')}`,
      ),
      'values without consent': withoutConsent(writes, input),
      'values against a no': input.ends.flatMap(({ event, state }) =>
        event.expected === 'no' && (state?.outcome === 'COPIED' || state?.outcome === 'CONSENT_LAPSED')
          ? [`${event.library}.${event.id}: ${state.outcome}`]
          : [],
      ),
      'local edits overwritten': edits.wrong,
      'restrictions for debts read once': restrictedTooSoon(input.wire),
      'copies without a record': copiesWithoutRecord(input),
    },
    counts: {
      values: values.size,
      receipts: receipts.size,
      receiptsExcused: alone.length - unexcused.length,
      localEdits: input.edits.length,
      localEditsRaced: edits.raced,
      owedRestrictions: input.wire.restrictions.length,
    },
  };
}

type OwnedWrite = WireWrite & { readonly homeKey: string };

/** A change names the copy, and a search the person: whose they are is known by now. */
function withHomeKeys({ wire, copies, people }: Disclosed): readonly OwnedWrite[] {
  const byCopy = new Map(copies.map(({ lender, patronId, homeKey }) => [`${lender} ${patronId}`, homeKey]));
  const bySurname = new Map(people.map(({ surname, homeKey }) => [surname, homeKey]));
  return wire.writes.map((write) => ({
    ...write,
    homeKey:
      write.homeKey ??
      byCopy.get(`${write.lender} ${write.patronId}`) ??
      bySurname.get(write.surname ?? '') ??
      `nobody (${write.lender} ${write.patronId})`,
  }));
}

/** Patron, lending library and field of every value; a card that the same library has scanned is none of home's. */
function valuesOn(writes: readonly OwnedWrite[], ends: readonly EventEnd[]): ReadonlySet<string> {
  const scanned = new Set(ends.map(({ event }) => `${event.library} ${event.card}`));
  return new Set(
    writes.flatMap(({ homeKey, lender, fields, card }) =>
      fields
        .filter((field) => field !== 'cardnumber' || !scanned.has(`${lender} ${card}`))
        .map((field) => `${homeKey} ${lender} ${field}`),
    ),
  );
}

function receiptsBy(receipts: readonly StoredReceipt[]): ReadonlyMap<string, readonly StoredReceipt[]> {
  const by = new Map<string, StoredReceipt[]>();
  for (const receipt of receipts) {
    if (receipt.what !== undefined && receipt.what !== 'refreshed') continue;
    for (const field of receipt.fields) {
      const value = `${receipt.homeKey} ${receipt.lending} ${field}`;
      by.set(value, [...(by.get(value) ?? []), receipt]);
    }
  }
  return by;
}

/** A receipt of a scan stands for what may have left in any of its runs, up to its end; that of a refresh for one call. */
function isExcused({ at, what }: StoredReceipt, { faults }: Disclosed): boolean {
  const atMs = Date.parse(at);
  return faults.some(({ fromMs, toMs }) =>
    what === 'refreshed'
      ? fromMs <= atMs + BETWEEN_MS && toMs >= atMs - CLOCK_MS
      : fromMs <= atMs && toMs >= atMs - BETWEEN_MS,
  );
}

/** The receipt of a card that this library has scanned itself: it is on the wire, and is no value of home's. */
function isOfScannedCard(value: string, { people, ends }: Disclosed): boolean {
  const [homeKey, lending, field] = value.split(' ');
  const cards = people.find((person) => person.homeKey === homeKey)?.cards ?? [];
  return (
    field === 'cardnumber' &&
    ends.some(({ event }) => event.library === lending && cards.includes(event.card))
  );
}

/** Values of patrons who had not said yes by then, and those beyond what they agreed to. */
function withoutConsent(writes: readonly OwnedWrite[], { receipts, ends, people }: Disclosed): string[] {
  const cards = new Map(people.map(({ homeKey, cards: theirs }) => [homeKey, theirs]));
  const agreedAt = new Map<string, number>();
  for (const { event } of ends) {
    if (event.expected !== 'yes' || event.saidAtMs === null) continue;
    const name = `${event.library} ${event.card}`;
    agreedAt.set(name, Math.min(agreedAt.get(name) ?? Infinity, event.saidAtMs));
  }
  const agreed = new Map<string, Set<string>>();
  for (const { homeKey, lending, fields, consent } of receipts) {
    if (consent === undefined) continue;
    const name = `${homeKey} ${lending}`;
    agreed.set(name, new Set([...(agreed.get(name) ?? OF_EVERY_COPY), ...fields]));
  }
  return writes.flatMap(({ homeKey, lender, atMs, fields }) => {
    const isAgreed = (cards.get(homeKey) ?? []).some(
      (card) => (agreedAt.get(`${lender} ${card}`) ?? Infinity) <= atMs,
    );
    if (!isAgreed) return [`${homeKey} ${lender}: ${fields.join(' ')}, and nobody said yes`];
    const beyond = fields.filter((field) => agreed.get(`${homeKey} ${lender}`)?.has(field) !== true);
    return beyond.length === 0 ? [] : [`${homeKey} ${lender}: ${beyond.join(' ')} was not agreed to`];
  });
}

/**
 * A change of an edited field is wrong where each read that it can rest on came after the edit, and so showed it; and where the edit came between
 * the two that lie further apart than two calls do, unless something was broken meanwhile.
 */
function editsOverwritten({ wire, edits, faults }: Disclosed): {
  readonly wrong: string[];
  readonly raced: number;
} {
  const wrong: string[] = [];
  let raced = 0;
  for (const { lender, patronId, field, atMs: editedMs } of edits) {
    const isIt = (each: { readonly lender: string; readonly patronId: number | null }): boolean =>
      each.lender === lender && each.patronId === patronId;
    const write = wire.writes.find(
      (each) => isIt(each) && each.fields.includes(field) && each.atMs > editedMs,
    );
    if (write === undefined) continue;
    const reads = wire.reads.filter(
      (each) => isIt(each) && each.atMs <= write.atMs && each.atMs > write.atMs - BASIS_MS,
    );
    const before = reads.findLast(({ atMs }) => atMs <= editedMs);
    const isBroken = faults.some(
      ({ fromMs, toMs }) => fromMs <= write.atMs && toMs >= (before?.atMs ?? write.atMs) - CLOCK_MS,
    );
    if (before !== undefined && (write.atMs - before.atMs <= RACE_MS || isBroken)) raced += 1;
    else
      wrong.push(
        `${lender} ${patronId} ${field}: edited ${editedMs}, read ${before?.atMs ?? 'after'}, written ${write.atMs}`,
      );
  }
  return { wrong, raced };
}

/** Who is restricted at home has owed too much in two readings by then. */
function restrictedTooSoon({ restrictions, debts }: Wire): string[] {
  return restrictions.flatMap(({ atMs, homeKey, lender }) => {
    const isOver = (each: Wire['debts'][number]): boolean =>
      each.lender === lender &&
      each.homeKey === homeKey &&
      each.amount > MOST_OWED * 100 &&
      each.atMs <= atMs;
    const times = debts.filter(isOver).length;
    return times >= 2 ? [] : [`${homeKey} for ${lender}: read ${times} times`];
  });
}

/** Copies of which an event said where they are, and that the service does not know. */
function copiesWithoutRecord({ copies, records, ends }: Disclosed): string[] {
  const reported = new Set(
    ends.flatMap(({ event, state }: { event: ChaosEvent; state: EventEnd['state'] }) =>
      state?.outcome === 'COPIED' && state.patron_id !== null ? [`${event.library} ${state.patron_id}`] : [],
    ),
  );
  return copies.flatMap(({ lender, patronId, homeKey }) => {
    const name = `${lender} ${patronId}`;
    if (!reported.has(name)) return [];
    return records.get(name) === homeKey ? [] : [`${name} of ${homeKey}: ${records.get(name) ?? 'none'}`];
  });
}
