import { parseJsonBody } from '../answers/json-body.ts';
import { parseDescription, type Capabilities } from '../transport/capabilities.ts';
import { firstValue } from '../errors/failure-of.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** What stands at a library's configured address. */
export type Reach =
  | {
      readonly kind: 'koha';
      readonly capabilities: Capabilities;
      /** The server's clock at its answer in milliseconds since 1970 (whole seconds); null when it sends no `date`. */
      readonly serverTimeMs: number | null;
      /** Milliseconds from request to answer; the clock comparison cannot be better than this. */
      readonly roundTripMs: number;
    }
  /** Somewhere else is meant. `to` is scheme and host only, null when the address cannot be read. */
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string | null }
  | { readonly kind: 'not_koha'; readonly status: number };

/** Scheme, the longest name DNS has, and a port. */
const MAX_ORIGIN = 270;

/** Looks at a library's address without logging in and without following redirects. Throws KohaError when nothing answers. */
export async function reach(session: Session, options?: CallOptions): Promise<Reach> {
  const startedAt = performance.now();
  const answer = await session.call({ operation: 'GET /', anonymous: true }, options);
  const roundTripMs = performance.now() - startedAt;
  const { status } = answer;
  if (status >= 300 && status < 400) {
    return { kind: 'redirect', status, to: originOf(firstValue(answer.headers['location']), session.url) };
  }
  const capabilities = status === 200 ? parseDescription(parseJsonBody(answer)) : null;
  if (capabilities === null) return { kind: 'not_koha', status };
  const serverTimeMs = Date.parse(firstValue(answer.headers['date']) ?? '');
  return {
    kind: 'koha',
    capabilities,
    serverTimeMs: Number.isNaN(serverTimeMs) ? null : serverTimeMs,
    roundTripMs,
  };
}

function originOf(location: string | undefined, base: string): string | null {
  if (location === undefined || !URL.canParse(location, base)) return null;
  const { origin } = new URL(location, base);
  return origin.length > MAX_ORIGIN ? null : origin;
}
