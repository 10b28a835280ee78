import * as z from 'zod';
import { bodyOf, failureOf } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { KohaError } from '../errors/koha-error.ts';
import { withQuote } from '../errors/quote-answer.ts';
import { shareWork } from './shared-answer.ts';
import type { Answer } from '../answers/read-answer.ts';
import type { Transport } from './transport.ts';

/** Koha's access token: fetched when first needed, once for all who wait, and used until shortly before its end. */
export interface Tokens {
  current(): string | Promise<string>;
  /** The token to use after Koha refused `refused`: a fresh one, unless another caller has already fetched it. */
  renewed(refused: string): string | Promise<string>;
  /**
   * Drops a token that Koha failed over (500), since one whose key was deleted is not refused but crashes Koha until it ends. Whether
   * there is a reason to try again: another caller has a newer one, or none was dropped for this in the last minute.
   */
  suspect(failed: string): boolean;
}

export interface TokenOptions {
  readonly library: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs: number;
  readonly transport: Transport;
  /** Milliseconds since 1970, for the ends of tokens and for dates in `retry-after`. */
  now(): number;
}

/** A token is dropped this long before Koha drops it, so that a call in flight does not meet its end. */
const MARGIN_MS = 60_000;

/**
 * How much of a call's time its token may take. Who waits for a token gives up when its own time ends, and does not know why
 * there was none: the request for it, which does, has to end first.
 */
const TOKEN_SHARE = 0.9;

/** A Koha that fails over everything gets no token request each time. */
const SUSPECT_AGAIN_MS = 60_000;

const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,4000}$/),
  expires_in: z.number().positive().catch(3600),
});

/** Creates the keeper of one API user's token (OAuth2 client credentials: `Koha/REST/V1/OAuth.pm`, `token`). */
export function createTokens(options: TokenOptions): Tokens {
  let kept: { token: string; untilMs: number } | undefined;
  let suspectedAt = -Infinity;

  const fetchToken = shareWork(async () => {
    const requestedAtMs = options.now();
    const answer = await options.transport.send({
      operation: 'POST /oauth/token',
      form: {
        grant_type: 'client_credentials',
        client_id: options.clientId,
        client_secret: options.clientSecret,
      },
      timeoutMs: Math.ceil(options.timeoutMs * TOKEN_SHARE),
    });
    const { access_token: token, expires_in: seconds } = parseToken(options.library, answer, options.now());
    const lifeMs = seconds * 1000;
    kept = { token, untilMs: requestedAtMs + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) };
    return token;
  });

  return {
    current: () => (kept !== undefined && options.now() < kept.untilMs ? kept.token : fetchToken()),
    renewed: (refused) => {
      if (kept?.token === refused) kept = undefined;
      return kept === undefined ? fetchToken() : kept.token;
    },
    suspect: (failed) => {
      if (kept?.token !== failed) return true;
      if (performance.now() - suspectedAt < SUSPECT_AGAIN_MS) return false;
      suspectedAt = performance.now();
      kept = undefined;
      return true;
    },
  };
}

function parseToken(library: string, answer: Answer, nowMs: number): z.infer<typeof tokenSchema> {
  if (answer.status === 200) return bodyOf(library, answer, tokenSchema);
  // 400 "Unimplemented grant type" (preference off), 401, 403 unknown id or wrong secret: only a person can fix these.
  // Koha says so in JSON: a page is a proxy's, and passes by itself.
  const { operation, status } = answer;
  const isKohas = [400, 401, 403].includes(status) && parseRefusal(answer) !== null;
  if (!isKohas) throw failureOf(library, answer, nowMs);
  throw withQuote(new KohaError({ code: 'credentials', library, operation, status, effect: 'none' }), answer);
}
