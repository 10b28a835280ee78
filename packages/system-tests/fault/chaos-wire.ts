import type { Exchange, ReceivedCall } from '@passport/koha-double';
import type { ChaosLibrary } from './chaos-libraries.ts';

/** Values of a home record that arrived at a lending Koha, by the names of their fields. */
export interface WireWrite {
  readonly atMs: number;
  readonly lender: ChaosLibrary;
  /** Null where the request names the copy only. */
  readonly homeKey: string | null;
  /** The lending Koha's number of the copy; null in a create, which has none. */
  readonly patronId: number | null;
  /** Of a search by name, which has no home key. */
  readonly surname: string | null;
  readonly fields: readonly string[];
  readonly card: string | null;
}

/** A copy that the service read. */
export interface WireRead {
  readonly atMs: number;
  readonly lender: ChaosLibrary;
  readonly patronId: number;
}

/** A home record that was restricted for what its patron owes at a lending library. */
export interface OwedRestriction {
  readonly atMs: number;
  readonly homeKey: string;
  readonly lender: string;
}

/** What a copy owed by an answer that a worker got. */
export interface DebtRead {
  readonly atMs: number;
  readonly lender: string;
  readonly homeKey: string;
  readonly amount: number;
}

/** All that reached the Kohas of a run, whatever the outcome of it: a request that a fault cut was read before. */
export interface Wire {
  readonly writes: WireWrite[];
  readonly reads: WireRead[];
  readonly restrictions: OwedRestriction[];
  readonly debts: DebtRead[];
}

export const openWire = (): Wire => ({ writes: [], reads: [], restrictions: [], debts: [] });

/**
 * Of a create these are the copy itself: its place here, its card, which the desk has just scanned, and its expiry. Its receipt names
 * the fields of the patron (`CopyOrder.fields`), and says by being there that this card was copied.
 */
const OF_EVERY_COPY = new Set([
  'library_id',
  'category_id',
  'extended_attributes',
  'cardnumber',
  'expiry_date',
]);
/** What Koha demands in a change is sent as it is there; nobody changes a surname in this run. */
const DEMANDED = new Set(['library_id', 'category_id', 'surname']);

interface PatronBody {
  readonly cardnumber?: string;
  readonly extended_attributes?: readonly { readonly type: string; readonly value: string }[];
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Notes what arrives at one Koha. */
export function listenAt(library: ChaosLibrary, wire: Wire) {
  return {
    onCall(call: ReceivedCall): void {
      const write = readWrite(library, call);
      if (write !== null) wire.writes.push(write);
      const { atMs, operation, path } = call;
      if (operation === 'GET /patrons/{patron_id}') {
        wire.reads.push({ atMs, lender: library, patronId: lastNumber(path) });
      }
      const [, kind, lender = ''] = /\/restrictions\/(home|owed)\/([^/]+)\/\d+$/.exec(path) ?? [];
      if (operation?.startsWith('PUT ') === true && kind === 'owed') {
        wire.restrictions.push({ atMs, homeKey: `${library}:${lastNumber(path)}`, lender });
      }
    },
    onExchange({ method, path, status, responseBody, isScripted }: Exchange): void {
      if (method !== 'GET' || path?.endsWith('/owed') !== true || status !== 200 || isScripted) return;
      const { rows = [] } = responseBody as { rows?: readonly { home_key: string; amount: number }[] };
      for (const { home_key: homeKey, amount } of rows) {
        wire.debts.push({ atMs: Date.now(), lender: library, homeKey, amount });
      }
    },
  };
}

const lastNumber = (path: string): number => Number(/(\d+)$/.exec(path)?.[1] ?? 0);

function readWrite(
  lender: ChaosLibrary,
  { operation, path, query, body, atMs }: ReceivedCall,
): WireWrite | null {
  const nobody = { atMs, lender, homeKey: null, patronId: null, surname: null, card: null };
  if (operation === 'POST /patrons' && isPlain(body)) {
    const { cardnumber = null, extended_attributes: marks = [] } = body as PatronBody;
    const homeKey = marks.find(({ type }) => type === 'PASSPORTED_ID')?.value ?? null;
    return { ...nobody, homeKey, card: cardnumber, fields: namesOf(body, OF_EVERY_COPY) };
  }
  if (operation === 'PUT /patrons/{patron_id}' && isPlain(body)) {
    const { cardnumber: card = null } = body as PatronBody;
    return { ...nobody, patronId: lastNumber(path), card, fields: namesOf(body, DEMANDED) };
  }
  if (/^(?:PUT|DELETE) /.test(operation ?? '') && /\/restrictions\/home\/[^/]+\/\d+$/.test(path)) {
    return { ...nobody, patronId: lastNumber(path), fields: ['restricted'] };
  }
  if (operation === 'GET /patrons') {
    // The search for a possible duplicate: by name and birth date, before a create.
    const searched: unknown = JSON.parse(new URLSearchParams(query).get('q') ?? 'null');
    if (!isPlain(searched) || !('date_of_birth' in searched)) return null;
    return { ...nobody, surname: String(searched['surname']), fields: Object.keys(searched) };
  }
  return null;
}

const namesOf = (body: Readonly<Record<string, unknown>>, without: ReadonlySet<string>): readonly string[] =>
  Object.entries(body).flatMap(([name, value]) => (without.has(name) || value === '' ? [] : [name]));
