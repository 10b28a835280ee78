import {
  type DeliveryHeaders,
  type SignatureHeader,
  isSignedWith,
  readDeliveryHeaders,
  secondsOutsideWindow,
} from '@passport/contract';
import type { AdmissionRequest } from '@passport/queue/admission';

/** A library that may report scans, as far as the receiver needs to know it. */
export interface ReportingLibrary {
  readonly id: string;
  readonly secrets: Parameters<typeof isSignedWith>[0];
  readonly limits: AdmissionRequest['limits'];
}

/** One HTTP request, without HTTP. */
export interface Delivery {
  readonly library: string;
  /** Every value that a header came with. */
  readonly header: (name: SignatureHeader) => readonly string[];
  readonly body: Buffer;
}

/**
 * Why a delivery is not taken for genuine. Whoever sends it hears only `reason`, and of `clock` how far it is off; everything else is for our
 * own log (docs/decisions/0038-refused-deliveries.md).
 */
export type Unauthorized =
  /** The timestamp is `secondsAhead` of ours (negative: behind), whoever signed it. */
  | { readonly reason: 'clock'; readonly secondsAhead: number; readonly isSigned: boolean }
  /** It is signed with the secret of `owner`, under the id of another library or of none. */
  | { readonly reason: 'library'; readonly owner: string }
  /** No secret that was tried made the signature, or there is no such library; or it is signed, and for another event. */
  | { readonly reason: 'signature'; readonly isOfAnotherEvent?: true };

/** Signed by the library, but not for the event that the path names. */
export const OF_ANOTHER_EVENT: Unauthorized = { reason: 'signature', isOfAnotherEvent: true };

export type Authentication =
  | { readonly kind: 'genuine'; readonly library: ReportingLibrary; readonly headers: DeliveryHeaders }
  | { readonly kind: 'header_malformed'; readonly header: SignatureHeader; readonly problem: string }
  | { readonly kind: 'unauthorized'; readonly why: Unauthorized };

/** Verified against as any other library's, so that the time of the answer does not reveal that it is unknown. */
const UNKNOWN_LIBRARY = [Buffer.alloc(32)];

/** A signature over 16 KiB takes about 15 microseconds: a stranger can cost us so many a second, and one search more. */
const SEARCHED_SECRETS_PER_SECOND = 500;
const SECOND_MS = 1_000;

/** Who sends this: headers first, then time and signature. An unknown library is answered like a bad signature. */
export function buildAuthentication(deps: {
  readonly libraries: ReadonlyMap<string, ReportingLibrary>;
  readonly nowSeconds: () => number;
  readonly monotonicNow: () => number;
}): (delivery: Delivery) => Authentication {
  const { libraries, nowSeconds } = deps;
  const findOwner = buildOwnerSearch(deps);
  return ({ library: id, header, body }) => {
    const reading = readDeliveryHeaders(header);
    if (reading.kind === 'malformed') {
      return { kind: 'header_malformed', header: reading.header, problem: reading.problem };
    }
    const { headers } = reading;
    const library = libraries.get(id);
    const isSigned =
      isSignedWith(library?.secrets ?? UNKNOWN_LIBRARY, { headers, body }) && library !== undefined;
    const secondsAhead = secondsOutsideWindow(headers, nowSeconds());
    // Before the signature: what was recorded long ago must not show whether its secret still holds.
    if (secondsAhead !== 0) {
      return { kind: 'unauthorized', why: { reason: 'clock', secondsAhead, isSigned } };
    }
    if (isSigned) return { kind: 'genuine', library, headers };
    const owner = findOwner({ headers, body });
    const why: Unauthorized = owner === null ? { reason: 'signature' } : { reason: 'library', owner };
    return { kind: 'unauthorized', why };
  };
}

/**
 * Finds the library whose secret signed a delivery, whatever library it names: a Koha with a wrong id learns that, since it has
 * a secret to prove that it is a member. Null also when too much was searched within the second.
 */
function buildOwnerSearch({
  libraries,
  monotonicNow,
}: {
  readonly libraries: ReadonlyMap<string, ReportingLibrary>;
  readonly monotonicNow: () => number;
}): (delivery: { readonly headers: DeliveryHeaders; readonly body: Buffer }) => string | null {
  let sinceMs = -Infinity;
  let searched = 0;
  return (delivery) => {
    const now = monotonicNow();
    if (now - sinceMs >= SECOND_MS) {
      sinceMs = now;
      searched = 0;
    }
    if (searched >= SEARCHED_SECRETS_PER_SECOND) return null;
    let owner: string | null = null;
    for (const { id, secrets } of libraries.values()) {
      searched += secrets.length;
      if (isSignedWith(secrets, delivery)) owner ??= id;
    }
    return owner;
  };
}
