import type * as z from 'zod';
import { bodyOf, failureOf } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import { afterSent } from '../errors/quote-answer.ts';
import { isUnreadable, parseRefusal } from '../errors/refusal.ts';
import type { Capabilities } from './capabilities.ts';
import { type Waiting, waitForShared } from './shared-answer.ts';
import { type Slots, buildSlots } from './slots.ts';
import { createTokens, type TokenOptions } from './token.ts';
import type { Answer } from '../answers/read-answer.ts';
import type { KohaRequest } from './transport.ts';

/** The caller's limits on one call. */
export interface CallOptions {
  /** Ends the wait and the request. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for a place under the cap, and again for Koha to answer. The client's own when left out. */
  readonly timeoutMs?: number;
  /** By `performance.now()`: nothing is sent any more after it, whatever was waited for until then (`too_late`, no effect). */
  readonly sendBefore?: number;
  /** By `performance.now()`: the end of everything, waits included, for calls that together answer one question (`timeout`). */
  readonly deadline?: number;
}

/** A request and whether it goes without the token of the API user. */
export type SessionRequest = KohaRequest & { readonly anonymous?: true };

/** The authorised way to one Koha. */
export interface Calls {
  readonly library: string;
  /** Sends as the API user, under the cap. Resolves to any answer but Koha's own 401; throws KohaError. */
  call(request: SessionRequest, options?: CallOptions): Promise<Answer>;
  /** Milliseconds for a call to wait for a place and to be answered, together. */
  patienceMs(limits: Pick<CallOptions, 'timeoutMs'>): number;
  /** Opens a connection for a call that will follow, unless one is open. Its failure is that call's to meet. */
  openConnection(): void;
  /** The places under the cap. */
  readonly slots: Omit<Slots, 'take'>;
  /** Milliseconds for one call to be answered, unless its caller says otherwise. */
  readonly timeoutMs: number;
  /** The failure that an answer means when the operation knows no better. */
  failure(answer: Answer): KohaError;
}

/** What one Koha can do, by its own description: read when first needed and shared by all who wait for it. */
export interface KeptCapabilities {
  get(options?: CallOptions): Promise<Capabilities>;
  /** To be called when Koha refused something its description allowed: the next `get` reads anew. */
  forget(): void;
}

/** What an operation works with. */
export interface Session extends Calls {
  /** The library's configured address. */
  readonly url: string;
  readonly capabilities: KeptCapabilities;
}

/** A Koha that serves fewer at once is rare, and with fewer nobody waits. */
const CROWDED_FROM = 2;

/** `timeoutMs`: milliseconds for one call to be answered, and the longest wait for a place under the cap. */
export interface CallsOptions extends TokenOptions {
  /** How many calls may be under way at this Koha at once from this client. */
  readonly maxInFlight: number;
  /** Milliseconds that the next call may wait for a place under the cap before it is `busy`; by default its timeout, and never longer than the timeout a caller sets. */
  readonly slotWaitMs?: () => number;
  /** Called before each call that finds two or more others under way, or all places taken. */
  readonly onCrowded?: () => void;
}

/**
 * Creates the authorised way to one Koha. A call that meets Koha's 401 renews the token and is sent once more, which is safe for
 * writes too: Koha answers 401 before it does anything. A 500 or 501 can come of a token whose key was deleted: a read is sent once more
 * with a new token; a write never, since a 500 can also come after its effect, but the caller's look, and its next try, have the new one.
 * Waiting for a place has a clock of its own (`busy`, no effect). The token is fetched inside the place of the call that needs it,
 * so a client at its cap never waits for itself.
 */
export function createCalls(options: CallsOptions): Calls {
  const { library, transport } = options;
  const slots = buildSlots(options.maxInFlight);
  const tokens = createTokens(options);

  const exchange = async (request: SessionRequest, limits: CallOptions): Promise<Answer> => {
    const timeoutMs = limits.timeoutMs ?? options.timeoutMs;
    const endsAt = Math.min(performance.now() + timeoutMs, limits.deadline ?? Infinity);
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
    const waitForToken = (token: string | Promise<string>): string | Promise<string> =>
      tokenInTime(token, { library, timeoutMs: leftMs(), signal: limits.signal });

    if (request.anonymous === true) return send(null);
    const token = await waitForToken(tokens.current());
    const answer = await send(token);
    if (isRefusedLogin(answer)) {
      return afterSent(async () => send(await waitForToken(tokens.renewed(token))));
    }
    const isWorthRepeating =
      mayBeDeadKey(answer) && tokens.suspect(token) && request.operation.startsWith('GET ');
    return isWorthRepeating ? send(await waitForToken(tokens.current())) : answer;
  };

  const waitMs = ({ timeoutMs = Infinity }: Pick<CallOptions, 'timeoutMs'>): number =>
    Math.min(options.slotWaitMs?.() ?? options.timeoutMs, timeoutMs);

  const failure = (answer: Answer): KohaError => failureOf(library, answer, options.now());

  return {
    library,
    timeoutMs: options.timeoutMs,
    patienceMs: (limits) => waitMs(limits) + (limits.timeoutMs ?? options.timeoutMs),
    openConnection() {
      if (slots.taken === 0) transport.openConnection();
    },
    slots,
    failure,
    call: async (request, limits = {}) => {
      refuseStrangeBranch(library, request);
      const leftMs = Math.max(0, (limits.deadline ?? Infinity) - performance.now());
      if (slots.taken >= Math.min(CROWDED_FROM, slots.size)) options.onCrowded?.();
      const slot = await slots.take(() => Math.min(waitMs(limits), leftMs), limits.signal);
      if (typeof slot === 'string') {
        throw new KohaError({ code: slot, library, operation: request.operation, effect: 'none' });
      }
      try {
        const answer = await exchange(request, limits);
        if (isRefusedLogin(answer)) throw failure(answer);
        return answer;
      } finally {
        slot();
      }
    },
  };
}

/** One that is kept is not waited for: of each call, that would be a timer, a listener and a race for nothing. */
function tokenInTime(
  token: string | Promise<string>,
  waiting: Omit<Waiting, 'operation'>,
): string | Promise<string> {
  return typeof token === 'string'
    ? token
    : waitForShared(token, { ...waiting, operation: 'POST /oauth/token' });
}

/** A code that no header can carry is no branch of any Koha, so it is refused here the way Koha refuses an unknown one. */
function refuseStrangeBranch(library: string, { operation, branch }: KohaRequest): void {
  if (branch === undefined || /^[\x21-\x7e]+$/.test(branch)) return;
  throw new KohaError({ code: 'permission', library, operation, effect: 'none', branch });
}

/** The options of calls that together answer one question: one deadline for all of them, the patience of a single call. */
export function withDeadline(session: Calls, options: CallOptions = {}): CallOptions {
  return { deadline: performance.now() + session.patienceMs(options), ...options };
}

/** Sends a request that has one good answer, 200 with a body that fits. Throws KohaError at any other. */
export async function read<T>(
  session: Session,
  request: SessionRequest,
  schema: z.ZodType<T>,
  options?: CallOptions,
): Promise<T> {
  const answer = await session.call(request, options);
  if (answer.status !== 200) throw session.failure(answer);
  return bodyOf(session.library, answer, schema);
}

/** The same of a route of the plugin: null where this Koha has no plugin that could answer. */
export async function readFromPlugin<T>(
  session: Session,
  request: SessionRequest,
  schema: z.ZodType<T>,
  options?: CallOptions,
): Promise<T | null> {
  const answer = await session.call(request, options);
  if (answer.status === 404 && parseRefusal(answer) !== null) return null;
  if (answer.status !== 200) throw session.failure(answer);
  return bodyOf(session.library, answer, schema);
}

/** Koha's own answer on the token. A page with this status is a proxy's, and says nothing of it. */
function isRefusedLogin(answer: Answer): boolean {
  return answer.status === 401 && parseRefusal(answer) !== null;
}

/**
 * Koha failed outside the operation itself, whose own failures carry `internal_server_error`, and before it had an answer. By its
 * validator's version that is a 500, or a 501 since no route describes a 500.
 */
function mayBeDeadKey(answer: Answer): boolean {
  const { status } = answer;
  if (status < 500) return false;
  const refusal = parseRefusal(answer);
  if (refusal === null || isUnreadable(status, refusal)) return false;
  return status === 500 ? refusal.errorCode !== 'internal_server_error' : refusal.misfits.length > 0;
}
