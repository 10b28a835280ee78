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
  | 'redirect';

/** Codes of Node's resolver, sockets and OpenSSL. */
const CAUSES: Readonly<Record<string, CauseCode>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no_route',
  ENETUNREACH: 'no_route',
  EHOSTDOWN: 'no_route',
  ENETDOWN: 'no_route',
  EADDRNOTAVAIL: 'no_route',
  ETIMEDOUT: 'timeout_connect',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_wrong_host',
  HOSTNAME_MISMATCH: 'certificate_wrong_host',
  CERT_SIGNATURE_FAILURE: 'certificate_untrusted',
  CERT_CHAIN_TOO_LONG: 'certificate_untrusted',
  CERT_REVOKED: 'certificate_untrusted',
  CERT_REJECTED: 'certificate_untrusted',
  CERT_UNTRUSTED: 'certificate_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_untrusted',
  INVALID_CA: 'certificate_untrusted',
  INVALID_PURPOSE: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_untrusted',
};

/**
 * The cause of a request that got no whole answer; null where its error has no code that is known here. From Node 24 on, what fails while
 * a request is being written is Node's own error and not one of got's.
 */
export function causeOf(error: unknown, request: Request | undefined): CauseCode | null {
  if (error instanceof TimeoutError) return causeOfTimeout(request);
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (typeof code !== 'string') return null;
  if (code.startsWith('HPE_')) return 'protocol';
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return CAUSES[code] ?? 'tls';
  return CAUSES[code] ?? null;
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
