import {
  type DeliveryHeaders,
  type SignatureHeader,
  readDeliveryHeaders,
  verifyDelivery,
} from '@passport/contract';
import type { AdmissionRequest } from '@passport/queue';

/** A library that may report scans, as far as the receiver needs to know it. */
export interface ReportingLibrary {
  readonly id: string;
  readonly secrets: readonly Buffer[];
  readonly limits: AdmissionRequest['limits'];
}

/** One HTTP request, without HTTP. */
export interface Delivery {
  readonly library: string;
  /** Every value that a header came with. */
  readonly header: (name: SignatureHeader) => readonly string[];
  readonly body: Buffer;
}

export type Authentication =
  | { readonly kind: 'genuine'; readonly library: ReportingLibrary; readonly headers: DeliveryHeaders }
  | { readonly kind: 'header_malformed'; readonly header: SignatureHeader; readonly problem: string }
  | { readonly kind: 'unauthorized' };

/** Verified against as any other library's, so that the time of the answer does not reveal that it is unknown. */
const UNKNOWN_LIBRARY = [Buffer.alloc(32)];

/** Who sends this: headers first, then signature and time. An unknown library is answered like a bad signature. */
export function buildAuthentication(deps: {
  readonly libraries: ReadonlyMap<string, ReportingLibrary>;
  readonly nowSeconds: () => number;
}): (delivery: Delivery) => Authentication {
  const { libraries, nowSeconds } = deps;
  return ({ library: id, header, body }) => {
    const reading = readDeliveryHeaders(header);
    if (reading.kind === 'malformed') {
      return { kind: 'header_malformed', header: reading.header, problem: reading.problem };
    }
    const { headers } = reading;
    const library = libraries.get(id);
    const secrets = library?.secrets ?? UNKNOWN_LIBRARY;
    const isGenuine = verifyDelivery({ secrets, headers, body, nowSeconds: nowSeconds() });
    return isGenuine && library !== undefined
      ? { kind: 'genuine', library, headers }
      : { kind: 'unauthorized' };
  };
}
