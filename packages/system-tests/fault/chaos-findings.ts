import type { EventState } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import type { CardKind, ChaosEvent } from './chaos-events.ts';

/** What must be zero, each with the first few cases. */
export type Wrongs = Readonly<Record<WrongName, readonly string[]>>;
export type WrongName =
  | 'acknowledged events without an outcome'
  | 'events that were never acknowledged'
  | 'second copies'
  | 'unmarked copies'
  | 'second checkouts'
  | 'late checkouts'
  | 'checkouts to somebody else'
  | 'wrong outcomes'
  | 'desks without a report';

/** An acknowledged event and its end; null when it has none. */
export interface EventEnd {
  readonly event: ChaosEvent;
  readonly state: EventState | null;
}

/**
 * Holds all events and all Kohas against what was promised. `checkoutWithinMs` is how long after its scan a checkout may be
 * made, with what the Kohas themselves may have let it wait for.
 */
export function findWrongs(
  ends: readonly EventEnd[],
  kohas: readonly KohaDouble[],
  checkoutWithinMs: number,
): Wrongs {
  const perKoha = kohas.map((koha) => findWrongsAt(koha, ends, checkoutWithinMs));
  const all = (name: keyof (typeof perKoha)[number]): string[] => perKoha.flatMap((wrongs) => wrongs[name]);
  return {
    'acknowledged events without an outcome': idsOf(
      ends,
      ({ event, state }) => event.followId !== null && (state === null || state.outcome === null),
    ),
    'events that were never acknowledged': idsOf(ends, ({ event }) => event.followId === null),
    'second copies': all('secondCopies'),
    'unmarked copies': all('unmarked'),
    'second checkouts': all('secondCheckouts'),
    'late checkouts': all('lateCheckouts'),
    'checkouts to somebody else': all('strangers'),
    'wrong outcomes': idsOf(ends, ({ event, state }) => state !== null && !mayEndSo(event, state)),
    'desks without a report': all('unreported'),
  };
}

const idsOf = (ends: readonly EventEnd[], isWrong: (end: EventEnd) => boolean): string[] =>
  ends
    .filter(isWrong)
    .map(({ event, state }) => `${event.library}.${event.id} (${event.kind}): ${state?.outcome ?? 'none'}`);

function findWrongsAt(koha: KohaDouble, ends: readonly EventEnd[], checkoutWithinMs: number) {
  const state = koha.state();
  const mine = ends.filter(({ event }) => event.library === koha.library);
  const visitors = state.patrons.filter(({ category_id: category }) => category === 'PT');
  const marks = visitors.map(({ extended_attributes: attributes }) =>
    attributes.map(({ type, value }) => `${type}=${value}`).join(' '),
  );
  const barcodes = state.checkouts.map(({ external_id: barcode }) => barcode ?? '');
  const reported = new Map(state.outcomes.map((row) => [row.event_id, row.seq]));
  return {
    secondCopies: [...repeated(marks), ...repeated(visitors.map(({ cardnumber }) => cardnumber ?? ''))],
    unmarked: marks.filter((mark) => !/^PASSPORTED=(\w+) PASSPORTED_ID=\1:\d+$/.test(mark)),
    secondCheckouts: [
      ...repeated(barcodes),
      ...state.checkouts.flatMap(({ renewals_count: times, external_id: barcode }) =>
        times > 0 ? [barcode ?? ''] : [],
      ),
      ...state.old_checkouts.map(({ external_id: barcode }) => barcode ?? ''),
    ],
    lateCheckouts: lateCheckouts(koha, mine, checkoutWithinMs),
    strangers: state.checkouts
      .filter(({ external_id: barcode, cardnumber }) =>
        mine.some(({ event }) => event.barcode === barcode && !isCardOf(event, cardnumber)),
      )
      .map(({ external_id: barcode }) => barcode ?? ''),
    unreported: mine
      .filter(
        ({ state: end }) =>
          end !== null && end.outcome !== null && (reported.get(end.event_id) ?? 0) < end.seq,
      )
      .map(({ event }) => event.id),
  };
}

/** A copy follows its patron to a new card. */
const isCardOf = ({ card, person }: ChaosEvent, now: unknown): boolean =>
  now === card || person?.cards.some((each) => each === now) === true;

function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

/** Checkouts later than `checkout_within` after the last scan of their item. */
function lateCheckouts(koha: KohaDouble, ends: readonly EventEnd[], checkoutWithinMs: number): string[] {
  const scans = new Map<string, number>();
  for (const { event } of ends) {
    if (event.barcode === null) continue;
    // Nobody is too late because they read the question: the time begins anew with their yes.
    const wantedMs = event.heardAtMs ?? event.scannedAtMs;
    scans.set(event.barcode, Math.max(scans.get(event.barcode) ?? 0, wantedMs));
  }
  return koha.state().checkouts.flatMap(({ external_id: barcode, checkout_date: at }) => {
    const scannedAtMs = scans.get(barcode ?? '');
    if (scannedAtMs === undefined) return [];
    const afterMs = Date.parse(at) - scannedAtMs; // Koha keeps whole seconds
    return afterMs > checkoutWithinMs ? [`${barcode ?? ''} at ${at}, ${afterMs} ms after its scan`] : [];
  });
}

const UNREACHABLE = ['HOME_UNREACHABLE', 'LENDING_UNREACHABLE', 'LENDING_REFUSED', 'TOO_LATE'];
const AT_HOME: Readonly<Record<CardKind, readonly string[]>> = {
  eligible: ['COPIED', 'ALREADY_LOCAL'],
  again: ['COPIED', 'ALREADY_LOCAL'],
  expired: ['NOT_ELIGIBLE'],
  restricted: ['NOT_ELIGIBLE'],
  lost: ['NOT_ELIGIBLE'],
  unknown: ['NOT_FOUND'],
  // With one of the two silent the other one is taken, as locate.strict: false says.
  'two homes': ['AMBIGUOUS_HOME', 'COPIED', 'ALREADY_LOCAL'],
};

/** Whether an event of this kind may end like this: as its card is, or with a failure that is named. */
function mayEndSo(event: ChaosEvent, { outcome, problem }: EventState): boolean {
  const { kind, expected, heardAtMs, person } = event;
  if (outcome === null) return true;
  if (outcome === 'MISCONFIGURED') return problem?.name === 'the worker died of it';
  const isCopied = AT_HOME[kind].includes('COPIED');
  if (outcome === 'CONSENT_REFUSED') return isCopied && expected === 'no';
  // Of two homes the other one may be found after the yes.
  if (outcome === 'CONSENT_LAPSED') return isCopied && (heardAtMs === null || kind === 'two homes');
  if (outcome === 'NOT_ELIGIBLE' && person?.mayBeRefused === true) return true;
  if (outcome === 'NOT_FOUND' && (person?.cards.length ?? 0) > 1) return true;
  return UNREACHABLE.includes(outcome) || AT_HOME[kind].includes(outcome);
}
