import { type Request, TimeoutError } from 'got';

/**
 * Why there was no usable answer, more exactly than the code of the failure: for logs, so that an expired certificate can be distinguished
 * from a dead host. Closed, and never the words of anybody outside.
 */
export type CauseCode =
  | 'dns'
  | 'refused'
  | 'no_route'
  | 'timeout_connect'
  | 'timeout_tls'
  | 'timeout_answer'
  | 'tls'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_untrusted'
  | 'certificate_wrong_host'
  | 'reset'
  | 'protocol'
  | 'too_large'
  | 'too_deep'
  | 'too_many_rows'
  | 'too_many_pages'
  | 'repeated_page'
  | 'not_json'
  | 'not_koha'
  | 'plugin_disabled'
  | 'redirect';

/** Codes of Node's resolver, sockets and OpenSSL. */
const CODES: Partial<Readonly<Record<CauseCode, readonly string[]>>> = {
  dns: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'],
  refused: ['ECONNREFUSED'],
  no_route: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'],
  timeout_connect: ['ETIMEDOUT'],
  reset: ['ECONNRESET', 'ECONNABORTED', 'EPIPE'],
  tls: ['EPROTO'],
  certificate_expired: ['CERT_HAS_EXPIRED'],
  certificate_not_yet_valid: ['CERT_NOT_YET_VALID'],
  certificate_wrong_host: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
  certificate_untrusted: [
    'CERT_SIGNATURE_FAILURE',
    'CERT_CHAIN_TOO_LONG',
    'CERT_REVOKED',
    'CERT_REJECTED',
    'CERT_UNTRUSTED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
};
const CAUSES: ReadonlyMap<string, CauseCode> = new Map(
  Object.entries(CODES).flatMap(([cause, codes]) => codes.map((code) => [code, cause as CauseCode])),
);

/**
 * The cause of a request that got no whole answer; null where its error has no code that is known here. From Node 24 on, what fails while
 * a request is being written is Node's own error and not one of got's.
 */
export function causeOf(error: unknown, request: Request | undefined): CauseCode | null {
  if (error instanceof TimeoutError) return causeOfTimeout(request);
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (typeof code !== 'string') return null;
  if (code.startsWith('HPE_')) return 'protocol';
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return CAUSES.get(code) ?? 'tls';
  return CAUSES.get(code) ?? null;
}

/** Before the connection stood (TLS included) nothing of the request can have been read by anyone. */
export function wasConnected(request: Request | undefined): boolean {
  const timings = request?.timings;
  return (isTls(request) ? timings?.secureConnect : timings?.connect) !== undefined;
}

function causeOfTimeout(request: Request | undefined): CauseCode {
  if (wasConnected(request)) return 'timeout_answer';
  return request?.timings?.connect === undefined ? 'timeout_connect' : 'timeout_tls';
}

function isTls(request: Request | undefined): boolean {
  return request?.requestUrl?.protocol === 'https:';
}
