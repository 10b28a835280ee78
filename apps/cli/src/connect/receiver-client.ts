import type { Library } from '@passport/config';
import { type EventState, eventStateSchema, parseWebhookSecret, signDelivery } from '@passport/contract';
import { type CliDeps, Failure, localTimestamp, WrongUse } from '../program/index.ts';

/** How long the receiver may take for one answer. */
const ANSWER_MS = 10_000;

/** What the receiver made of an event. */
export interface Taken {
  /** The id to follow; on a double scan the first event's. */
  readonly eventId: string;
  readonly answer: 'accepted' | 'duplicate' | 'joined';
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The receiver as a library's Koha sees it: signed requests, and the answers of the contract. */
export type ReceiverClient = ReturnType<typeof buildReceiverClient>;

/** Speaks for `library`, with the first of its webhook secrets. Throws WrongUse when it has none. */
export function buildReceiverClient(receiverUrl: string, library: Library, deps: CliDeps) {
  const [secret] = library.webhookSecrets;
  if (secret === undefined)
    throw new WrongUse(`${library.id} has no webhook_secrets, so it cannot send events`);
  const secrets = [parseWebhookSecret(secret.reveal())];
  const path = `${receiverUrl}/webhooks/${encodeURIComponent(library.id)}`;
  const call = async (url: string, id: string, body: string | null): Promise<Response> => {
    const timestamp = Math.floor(deps.now() / 1000);
    const headers = signDelivery({ secrets, id, timestamp, body: Buffer.from(body ?? '') });
    try {
      return await deps.fetch(url, {
        method: body === null ? 'GET' : 'POST',
        headers: { ...headers, ...(body === null ? {} : { 'content-type': 'application/json' }) },
        redirect: 'manual',
        signal: AbortSignal.any([deps.signal, AbortSignal.timeout(ANSWER_MS)]),
        ...(body === null ? {} : { body }),
      });
    } catch {
      throw new Failure(`the receiver at ${receiverUrl} does not answer`, { code: 'unreachable' });
    }
  };
  const post = async (id: string, event: unknown): Promise<Readonly<Record<string, unknown>>> => {
    const response = await call(path, id, JSON.stringify(event));
    const answer = await bodyOf(response);
    if (response.status !== 202) throw refusal(response, answer);
    return answer;
  };
  const follow = (eventId: string, what: 'cancel' | 'consent', body: object): Promise<Response> =>
    call(`${path}/${encodeURIComponent(eventId)}/${what}`, eventId, JSON.stringify(body));
  return {
    /** Sends a test event, which is not queued. Throws Failure when it is not taken. */
    async test(id: string): Promise<void> {
      await post(id, { type: 'passport.test', timestamp: localTimestamp(deps.now()), data: {} });
    },
    /** Sends one event under `id`. Throws Failure when it is not taken. */
    async send(id: string, event: unknown): Promise<Taken> {
      const { event_id: eventId, joined, duplicate } = await post(id, event);
      const answer = joined === true ? 'joined' : duplicate === true ? 'duplicate' : 'accepted';
      return { eventId: text(eventId) ?? id, answer };
    },
    /** Cancels an event, known or not yet: after it nothing more is begun for it. Throws Failure when the receiver does not answer. */
    async cancel(eventId: string): Promise<void> {
      const body = { type: 'scan.cancelled', timestamp: localTimestamp(deps.now()) };
      const response = await follow(eventId, 'cancel', body);
      if (![200, 202, 404].includes(response.status)) throw refusal(response, await bodyOf(response));
    },
    /** Reports the patron's answer to the question of consent. Throws Failure when it is not taken. */
    async consent(eventId: string, data: { readonly answer: 'yes' | 'no'; readonly text_id: string }) {
      const body = { type: 'consent.answered', timestamp: localTimestamp(deps.now()), data };
      const response = await follow(eventId, 'consent', body);
      if (response.status !== 200) throw refusal(response, await bodyOf(response));
    },
    /** The state of an event, or null when the receiver cannot say now. Throws Failure when it does not know the event. */
    async read(eventId: string): Promise<EventState | null> {
      const response = await call(`${path}/${encodeURIComponent(eventId)}`, eventId, null).catch(
        (error: unknown) => {
          if (error instanceof Failure) return null; // the next look may be luckier
          throw error;
        },
      );
      if (response === null) return null;
      const answer = await bodyOf(response);
      if (response.status === 429 || response.status >= 500) return null;
      if (response.status !== 200) throw refusal(response, answer);
      const state = eventStateSchema.safeParse(answer);
      if (state.success) return state.data;
      throw new Failure("the receiver's answer is not the state of an event", { code: 'bad_answer' });
    },
  };
}

/** The largest answer that is read: a state with the names of all libraries that it is about is a few kilobytes. */
const LARGEST_BYTES = 64 * 1024;

async function bodyOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    const body: unknown = JSON.parse(await boundedText(response));
    return typeof body === 'object' && body !== null ? { ...body } : {};
  } catch {
    return {};
  }
}

/** Throws where more comes than a receiver ever answers; what it is still sending is not received. */
async function boundedText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  for await (const piece of body) {
    length += piece.length;
    if (length > LARGEST_BYTES) throw new RangeError('the answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

const HINTS: Readonly<Record<number, string>> = {
  401: 'the secret, the library id or the clock does not match those of the receiver',
  404: 'there is no receiver at this address, or it does not know the event',
  429: 'the library has reached its rate or backlog limit',
  503: 'the receiver cannot accept events now',
};

/** `reason` is that of a 401: `clock`, `library` or `signature`. */
function refusal({ status }: Response, answer: Readonly<Record<string, unknown>>): Failure {
  const [code, detail, title, reason] = ['code', 'detail', 'title', 'reason'].map((name) =>
    text(answer[name]),
  );
  const hint = HINTS[status];
  const problem = detail ?? title ?? hint ?? 'this is not an answer of a receiver';
  const isSaid = hint === undefined || hint === problem || reason !== null;
  return new Failure(`the receiver answers ${status}: ${isSaid ? problem : `${problem} (${hint})`}`, {
    status,
    code: code ?? `http_${status}`,
    ...(reason === null ? {} : { reason }),
  });
}
