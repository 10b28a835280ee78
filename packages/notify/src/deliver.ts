import { setMaxListeners } from 'node:events';
import type { NotifiedEndpoint } from '@passport/config';
import { type NotificationMessage, parseWebhookSecret, signDelivery } from '@passport/contract';
import { bodyOf } from './body.ts';

/** How one attempt to deliver a message ended. */
export type Delivery = (
  | { readonly kind: 'delivered' }
  /** 410: nothing more is to be sent there. */
  | { readonly kind: 'gone' }
  /** `retryAfterMs`: so long the endpoint wants to be left alone. */
  | { readonly kind: 'failed'; readonly retryAfterMs: number }
) & {
  /** Null: there was no answer. */
  readonly status: number | null;
  /** Why there was no answer: `timeout`, or the system's code such as `ECONNREFUSED`. */
  readonly code: string | null;
  /** The beginning of the answer, where it was wanted. */
  readonly answer: string;
};

/** Whoever takes longer is tried again. */
const ATTEMPT_MS = 10_000;
const LONGEST_ANSWER = 2_000;
const LONGEST_RETRY_AFTER_SECONDS = 3_600;
const GONE = 410;

export interface DeliverDeps {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Ends when the process stops. */
  readonly signal: AbortSignal;
  /** Milliseconds until an attempt is given up; {@link ATTEMPT_MS}, but for tests. */
  readonly attemptMs?: number;
}

/**
 * Posts a message to an endpoint, once. Follows no redirect, waits for the status only (and for the first bytes of the answer where it is
 * wanted), and never throws for the outside. Nothing of the address is in the result.
 */
export async function deliver(
  { url, format, secret }: Pick<NotifiedEndpoint, 'url' | 'format' | 'secret'>,
  { id, message }: { readonly id: string; readonly message: NotificationMessage },
  { fetch: send, now, signal, attemptMs = ATTEMPT_MS }: DeliverDeps,
  wantsAnswer = false,
): Promise<Delivery> {
  const body = Buffer.from(bodyOf(format, message));
  const signed =
    secret === null
      ? {}
      : signDelivery({
          secrets: [parseWebhookSecret(secret.reveal())],
          id,
          timestamp: Math.floor(now() / 1000),
          body,
        });
  const limit = startLimit(signal, attemptMs);
  try {
    const response = await send(url.reveal(), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'patron-passport', ...signed },
      body,
      redirect: 'manual',
      signal: limit.signal,
    });
    const answer = await readAnswer(response, wantsAnswer);
    return { ...resultOf(response), status: response.status, code: null, answer };
  } catch (error) {
    return { kind: 'failed', retryAfterMs: 0, status: null, code: codeOf(error), answer: '' };
  } finally {
    limit.end();
  }
}

/**
 * Ends an attempt after its time, or with the process. By a timer that is held here: an `AbortSignal.timeout` within `AbortSignal.any`
 * can be collected as garbage before it fires (seen with Node 20), and an endpoint that never answers was then waited for without end.
 */
function startLimit(signal: AbortSignal, attemptMs: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('no answer in time', 'TimeoutError')),
    attemptMs,
  );
  const stop = (): void => controller.abort(signal.reason);
  if (signal.aborted) stop();
  // As many attempts as there are endpoints wait for the one signal: no leak, of which Node would warn from the eleventh on.
  setMaxListeners(Infinity, signal);
  signal.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

function resultOf({
  ok,
  status,
  headers,
}: Response):
  { readonly kind: 'delivered' | 'gone' } | { readonly kind: 'failed'; readonly retryAfterMs: number } {
  if (ok) return { kind: 'delivered' };
  if (status === GONE) return { kind: 'gone' };
  const [seconds = '0'] = /^\d{1,6}$/.exec(headers.get('retry-after') ?? '') ?? [];
  return { kind: 'failed', retryAfterMs: Math.min(Number(seconds), LONGEST_RETRY_AFTER_SECONDS) * 1000 };
}

/** The beginning of an answer as plain text. The status counts, whatever follows it. */
async function readAnswer({ body }: Response, isWanted: boolean): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  try {
    const beginning = isWanted ? await reader.read() : { value: undefined };
    const bytes: unknown = beginning.value;
    return bytes instanceof Uint8Array ? Buffer.from(bytes.subarray(0, LONGEST_ANSWER)).toString() : '';
  } catch {
    return '';
  } finally {
    // Whoever goes on sending is not listened to.
    await reader.cancel().catch(() => undefined);
  }
}

/** A plain code: messages of the HTTP library quote addresses. */
function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  if (error instanceof Error && error.name === 'AbortError') return 'aborted';
  const cause = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,60}$/.test(code) ? code : 'unreachable';
}
