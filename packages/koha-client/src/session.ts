import { failureOf } from './failure-of.ts';
import { KohaError } from './koha-error.ts';
import { waitForShared } from './shared-answer.ts';
import { buildSlots } from './slots.ts';
import { createTokens } from './token.ts';
import type { Answer, Exchange, Transport } from './transport.ts';

/** The caller's limits on one call. */
export interface CallOptions {
  /** Ends the wait and the request. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for a place under the cap, and again for Koha to answer. The client's own when left out. */
  readonly timeoutMs?: number;
  /** By `performance.now()`: nothing is sent any more after it, whatever was waited for until then (`too_late`, no effect). */
  readonly sendBefore?: number;
}

/** A request as an operation states it; the session adds token and limits. */
export type KohaRequest = Omit<Exchange, 'timeoutMs' | 'signal'> & { readonly anonymous?: true };

export interface Session {
  readonly library: string;
  /** Sends as the API user, under the cap. Resolves to any answer but 401; throws KohaError. */
  call(request: KohaRequest, options?: CallOptions): Promise<Answer>;
  /** The failure that an answer means when the operation knows no better. */
  failure(answer: Answer): KohaError;
  readonly inFlight: number;
}

export interface SessionOptions {
  readonly library: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly slotWaitMs?: number;
  readonly transport: Transport;
  now(): number;
}

/**
 * Creates the authorised way to one Koha. A call that meets 401 renews the token and is sent once more, which is safe for
 * writes too: Koha answers 401 before it does anything. Waiting for a place has a clock of its own (`busy`, no effect).
 * The token is fetched inside the place of the call that needs it, so a full house never waits for itself.
 */
export function createSession(options: SessionOptions): Session {
  const { library, transport } = options;
  const slots = buildSlots(options.maxInFlight);
  const tokens = createTokens(options);

  const exchange = async (request: KohaRequest, limits: CallOptions): Promise<Answer> => {
    const timeoutMs = limits.timeoutMs ?? options.timeoutMs;
    const endsAt = performance.now() + timeoutMs;
    const leftMs = (): number => Math.max(0, endsAt - performance.now());
    const send = async (token: string | null): Promise<Answer> => {
      if (performance.now() > (limits.sendBefore ?? Infinity)) {
        throw new KohaError({ code: 'too_late', library, operation: request.operation, effect: 'none' });
      }
      return transport.send({
        ...request,
        headers: { ...request.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
        timeoutMs: Math.ceil(leftMs()),
        signal: limits.signal,
      });
    };
    const waitForToken = (work: Promise<string>): Promise<string> =>
      waitForShared(work, {
        library,
        operation: 'POST /oauth/token',
        timeoutMs: leftMs(),
        signal: limits.signal,
      });

    if (request.anonymous === true) return send(null);
    const token = await waitForToken(tokens.current());
    const answer = await send(token);
    return answer.status === 401 ? send(await waitForToken(tokens.renewed(token))) : answer;
  };

  const failure = (answer: Answer): KohaError => failureOf(library, answer, options.now());

  return {
    library,
    failure,
    call: async (request, limits = {}) => {
      const waitMs = Math.min(options.slotWaitMs ?? Infinity, limits.timeoutMs ?? options.timeoutMs);
      const turn = await slots.take(waitMs, limits.signal);
      if (typeof turn === 'string') {
        throw new KohaError({ code: turn, library, operation: request.operation, effect: 'none' });
      }
      try {
        const answer = await exchange(request, limits);
        if (answer.status === 401) throw failure(answer);
        return answer;
      } finally {
        turn();
      }
    },
    get inFlight() {
      return slots.taken;
    },
  };
}
