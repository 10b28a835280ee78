import { type ClientRequest, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import got, { type Method, type NativeRequestOptions, type Request, TimeoutError } from 'got';
import { type AnswerShape, shapeOf } from '../answers/answer-shape.ts';
import { causeOf, wasConnected } from '../errors/cause-code.ts';
import { type KohaOperation, effectOf, maxAnswerBytes, requestLine } from '../answers/koha-operation.ts';
import { KohaError, type KohaErrorCode, type KohaFailure } from '../errors/koha-error.ts';
import { buildAgents } from './spare-connection.ts';
import { type Answer, TooLarge, readAnswer } from '../answers/read-answer.ts';

/** A request as an operation states it. */
export interface KohaRequest {
  readonly operation: KohaOperation;
  /** What stands in the places of the operation's path, by their names there. */
  readonly places?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes Koha act as this branch. */
  readonly branch?: string;
  readonly json?: unknown;
  /** What the JSON is said to be, where it is not plain. */
  readonly jsonType?: string;
  readonly form?: Readonly<Record<string, string>>;
}

/** One HTTP request to Koha, below authorisation and meaning. */
export interface Exchange extends KohaRequest {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** Sends one request, once. Resolves to any answer with a status; throws KohaError when there is none. */
  send(exchange: Exchange): Promise<Answer>;
  /** Opens a connection for the next request, unless one is open. Sends nothing. */
  openConnection(): void;
  close(): void;
}

export interface TransportOptions {
  readonly library: string;
  readonly url: string;
  readonly onCall?: (call: {
    library: string;
    operation: KohaOperation;
    /** The code of the failure where there was no answer. */
    status: number | KohaErrorCode;
    ms: number;
  }) => void;
  /** Gets what each answer looks like; nothing of what it says. */
  readonly onShape?: (shape: AnswerShape) => void;
}

/** We end a request ourselves. */
class HungUp extends Error {
  override readonly name = 'HungUp';
}

/** Apache and Starman close an idle connection after 5 s. Closing first keeps a write from meeting that close. */
const IDLE_CONNECTION_MS = 4_000;

/** One for all Kohas: each would hold ten kilobytes of options, and a worker has a thousand of them. */
const request = got.extend({
  followRedirect: false,
  throwHttpErrors: false,
  retry: { limit: 0 },
  decompress: false,
  request: nativeRequest,
  headers: { 'user-agent': 'patron-passport', accept: 'application/json' },
});

/**
 * Creates the only way to a Koha's network address: connections kept alive, no redirects, no cookies, no repetition,
 * no compression, answers of limited size. Errors of the HTTP library carry headers, URL and body, so none leaves here.
 */
export function createTransport(options: TransportOptions): Transport {
  const base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  const agents = buildAgents(new URL(base), IDLE_CONNECTION_MS);
  const agent = agents.agent instanceof HttpsAgent ? { https: agents.agent } : { http: agents.agent };

  const attempt = async (exchange: Exchange): Promise<Answer> => {
    const { operation } = exchange;
    if (exchange.timeoutMs <= 0) throw lost(options.library, exchange, { code: 'timeout', connected: false });
    const { method, path } = requestLine(operation, exchange.places);
    const { body, type } = bodyOf(method, exchange);
    const actingAs = exchange.branch ?? null;
    let abort: (() => void) | undefined;
    let stream: Request | undefined;
    try {
      if (exchange.signal?.aborted === true) throw new HungUp();
      const sent = request.stream(base + path + queryString(exchange.query), {
        agent,
        method: method as Method,
        headers: {
          ...exchange.headers,
          ...(actingAs === null ? {} : { 'x-koha-library': actingAs }),
          ...type,
        },
        timeout: { request: exchange.timeoutMs },
        ...(body === null ? {} : { body }),
      });
      stream = sent;
      // got's own signal costs a fifth of a request.
      abort = () => sent.destroy(new HungUp());
      exchange.signal?.addEventListener('abort', abort, { once: true });
      return { operation, actingAs, ...(await readAnswer(sent, maxAnswerBytes(operation))) };
    } catch (error) {
      throw lost(options.library, exchange, whyLost(error, stream, exchange.signal));
    } finally {
      if (abort !== undefined) exchange.signal?.removeEventListener('abort', abort);
    }
  };

  return {
    send: async (exchange) => {
      const startedAt = performance.now();
      const report = (status: number | KohaErrorCode): void => {
        const ms = performance.now() - startedAt;
        options.onCall?.({ library: options.library, operation: exchange.operation, status, ms });
      };
      try {
        const answer = await attempt(exchange);
        report(answer.status);
        options.onShape?.(shapeOf(answer));
        return answer;
      } catch (error) {
        if (error instanceof KohaError) report(error.code);
        throw error;
      }
    },
    openConnection: () => agents.open(),
    close: () => agents.close(),
  };
}

/** What Node's client needs of the thirty options that got hands on; each of the others costs time, and none is set here. */
function nativeRequest(url: URL, options: NativeRequestOptions): ClientRequest {
  const { method, headers, agent, lookup, family, setHost, timeout } = options;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return send(url, { method, headers, agent, lookup, family, setHost, timeout });
}

/** The body as got need not look at it, and its type. */
function bodyOf(
  method: string,
  { json, jsonType = 'application/json', form }: KohaRequest,
): { body: string | null; type: Readonly<Record<string, string>> } {
  if (json !== undefined) return { body: JSON.stringify(json), type: { 'content-type': jsonType } };
  // got waits for a body where there can be one.
  if (form === undefined) return { body: method === 'GET' ? null : '', type: {} };
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return { body: new URLSearchParams(form).toString(), type };
}

/** Blanks become `%20`: not every server in front of a Koha reads `+` as a blank. */
function queryString(query: Readonly<Record<string, string>> | undefined): string {
  if (query === undefined) return '';
  return `?${new URLSearchParams(query).toString().replaceAll('+', '%20')}`;
}

type Loss = Pick<KohaFailure, 'code' | 'causeCode'> & { readonly connected: boolean };

function lost(library: string, { operation }: Exchange, { code, connected, causeCode }: Loss): KohaError {
  return new KohaError({
    code,
    library,
    operation,
    effect: connected ? effectOf(operation) : 'none',
    causeCode: causeCode ?? null,
    wasSent: connected && operation !== 'POST /oauth/token',
  });
}

function whyLost(error: unknown, sent: Request | undefined, signal: AbortSignal | undefined): Loss {
  if (error instanceof TooLarge) return { code: 'bad_answer', connected: true, causeCode: 'too_large' };
  const connected = wasConnected(sent);
  if (signal?.aborted === true) return { code: 'aborted', connected };
  const causeCode = causeOf(error, sent);
  if (error instanceof TimeoutError) return { code: 'timeout', connected, causeCode };
  if (causeCode === 'protocol') return { code: 'bad_answer', connected, causeCode };
  return { code: connected ? 'reset' : 'unreachable', connected, causeCode };
}
