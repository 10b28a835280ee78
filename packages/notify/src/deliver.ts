import { setMaxListeners } from 'node:events';
import { type NotifiedEndpoint, readMailServer } from '@passport/config';
import { type NotificationMessage, parseWebhookSecret, signDelivery } from '@passport/contract';
import { type PostedFormat, bodyOf } from './body.ts';
import { MailError, sendMail } from './mail.ts';

/** How one attempt to deliver a message ended. */
export type Delivery = (
  | { readonly kind: 'delivered' }
  /** 410: nothing more is to be sent there. */
  | { readonly kind: 'gone' }
  /** `retryAfterMs`: so long the endpoint wants to be left alone. */
  | { readonly kind: 'failed'; readonly retryAfterMs: number }
) & {
  /** Of the HTTP or the mail server. Null: there was no answer. */
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
  /** The certificates that mail servers are trusted by instead of the system's, for tests. */
  readonly mailCa?: string;
}

type Sent = { readonly id: string; readonly message: NotificationMessage };

/**
 * Delivers a message to an endpoint, once, and never throws for the outside. Waits for the status only (and for the first bytes of the
 * answer where it is wanted). Nothing of the address is in the result.
 */
export async function deliver(
  endpoint: Omit<NotifiedEndpoint, 'name' | 'topics' | 'libraries'>,
  sent: Sent,
  deps: DeliverDeps,
  wantsAnswer = false,
): Promise<Delivery> {
  const { format } = endpoint;
  const limit = startLimit(deps.signal, deps.attemptMs ?? ATTEMPT_MS);
  try {
    return await (format === 'email'
      ? mail(endpoint, sent, { ...deps, signal: limit.signal }, wantsAnswer)
      : post({ ...endpoint, format }, sent, { ...deps, signal: limit.signal }, wantsAnswer));
  } catch (error) {
    const { status, answer } = error instanceof MailError ? error : { status: null, answer: '' };
    const text = wantsAnswer ? answer.slice(0, LONGEST_ANSWER) : '';
    return { kind: 'failed', retryAfterMs: 0, status, code: codeOf(error), answer: text };
  } finally {
    limit.end();
  }
}

/** Posts it as JSON. Follows no redirect. */
async function post(
  { url, format, secret }: Pick<NotifiedEndpoint, 'url' | 'secret'> & { readonly format: PostedFormat },
  { id, message }: Sent,
  { fetch: send, now, signal }: DeliverDeps,
  wantsAnswer: boolean,
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
  const response = await send(url.reveal(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'patron-passport', ...signed },
    body,
    redirect: 'manual',
    signal,
  });
  const answer = await readAnswer(response, wantsAnswer);
  return { ...resultOf(response), status: response.status, code: null, answer };
}

/** Some recipients were refused: whoever was not has the message, and would get it again with the others. */
const SOME_REFUSED = 'some_recipients_refused';

/** Hands it to the mail server. */
async function mail(
  { url, secret, from, to }: Pick<NotifiedEndpoint, 'url' | 'secret' | 'from' | 'to'>,
  sent: Sent,
  { signal, attemptMs = ATTEMPT_MS, mailCa }: DeliverDeps,
  wantsAnswer: boolean,
): Promise<Delivery> {
  const server = readMailServer(url.reveal());
  if (typeof server === 'string' || from === null) throw new TypeError('the configuration was not checked');
  const { status, refused, answer } = await sendMail(
    { server, from, to, password: secret?.reveal() ?? null },
    sent,
    { signal, timeoutMs: attemptMs, ca: mailCa },
  );
  const code = refused === 0 ? null : SOME_REFUSED;
  return { kind: 'delivered', status, code, answer: wantsAnswer ? answer.slice(0, LONGEST_ANSWER) : '' };
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
  if (error instanceof MailError) return error.code;
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  if (error instanceof Error && error.name === 'AbortError') return 'aborted';
  const cause = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,60}$/.test(code) ? code : 'unreachable';
}
