import { connect } from 'node:tls';

/** What a server's TLS certificate says. */
export type CertificateExpiry =
  | { readonly kind: 'trusted'; readonly validUntilMs: number }
  /** The certificate is shown but would not be accepted; `reason` is OpenSSL's code, such as `CERT_HAS_EXPIRED`. */
  | { readonly kind: 'untrusted'; readonly validUntilMs: number | null; readonly reason: string }
  | { readonly kind: 'not_tls' }
  /** No TLS connection came about; `reason` is the system's code, such as `ECONNREFUSED`, or `TIMEOUT`. */
  | { readonly kind: 'unreachable'; readonly reason: string };

/**
 * Reads until when the certificate at an address is valid. Opens a TLS connection of its own, sends nothing and closes it, and
 * looks at certificates that are not trusted too, because that is when somebody wants to know. Never throws for the outside.
 */
export function readCertificateExpiry(
  url: string,
  options: { readonly timeoutMs: number },
): Promise<CertificateExpiry> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') return Promise.resolve({ kind: 'not_tls' });
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      rejectUnauthorized: false,
      timeout: options.timeoutMs,
    });
    const finish = (expiry: CertificateExpiry): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(expiry);
    };
    const timer = setTimeout(() => finish({ kind: 'unreachable', reason: 'TIMEOUT' }), options.timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      finish({ kind: 'unreachable', reason: error.code ?? 'ERROR' });
    });
    socket.once('secureConnect', () => {
      const validUntil = Date.parse(socket.getPeerCertificate().valid_to);
      const validUntilMs = Number.isNaN(validUntil) ? null : validUntil;
      // Typed as Error, yet Node sets the code as a plain string.
      const problem: unknown = socket.authorizationError;
      if (socket.authorized && validUntilMs !== null) finish({ kind: 'trusted', validUntilMs });
      else finish({ kind: 'untrusted', validUntilMs, reason: reasonOf(problem) });
    });
  });
}

function reasonOf(problem: unknown): string {
  if (typeof problem === 'string') return problem;
  if (problem instanceof Error && 'code' in problem && typeof problem.code === 'string') return problem.code;
  return 'UNTRUSTED';
}
