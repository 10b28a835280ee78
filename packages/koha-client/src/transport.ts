import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { RequestError, TimeoutError } from 'got';
import { effectOf } from './effect-of.ts';
import { KohaError } from './koha-error.ts';
import type { KohaErrorCode, KohaOperation } from './koha-error.ts';

/** One HTTP request to Koha, below authorisation and meaning. */
export interface Exchange {
  readonly operation: KohaOperation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back, whatever its status. */
export interface Answer {
  readonly operation: KohaOperation;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface Transport {
  /** Sends one request, once. Resolves to any answer with a status; throws KohaError when there is none. */
  send(exchange: Exchange): Promise<Answer>;
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
}

/** A whole Koha description is about 2 MB; anything near this is no answer of Koha's. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Apache and Starman close an idle connection after 5 s. Closing first keeps a write from meeting that close. */
const IDLE_CONNECTION_MS = 4_000;

/**
 * Creates the only way to a Koha's network address: connections kept alive, no redirects, no cookies, no repetition,
 * no compression, answers of limited size. Errors of the HTTP library carry headers, URL and body, so none leaves here.
 */
export function createTransport(options: TransportOptions): Transport {
  const base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  const sockets = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agent = { http: new HttpAgent(sockets), https: new HttpsAgent(sockets) };
  const request = got.extend({
    agent,
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    decompress: false,
    headers: { 'user-agent': 'patron-passport', accept: 'application/json' },
  });

  const attempt = async (exchange: Exchange): Promise<Answer> => {
    if (exchange.timeoutMs <= 0) throw lost(options.library, exchange, 'timeout', false);
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    exchange.signal?.addEventListener('abort', abort, { once: true });
    if (exchange.signal?.aborted === true) stop.abort();
    let tooLarge = false;
    try {
      const pending = request(base + exchange.path + queryString(exchange.query), {
        method: exchange.method,
        headers: { ...exchange.headers },
        timeout: { request: exchange.timeoutMs },
        signal: stop.signal,
        responseType: 'buffer',
        ...(exchange.json === undefined ? {} : { json: exchange.json }),
        ...(exchange.form === undefined ? {} : { form: { ...exchange.form } }),
      });
      void pending.on('downloadProgress', ({ transferred }) => {
        tooLarge ||= transferred > MAX_ANSWER_BYTES;
        if (tooLarge) stop.abort();
      });
      const { statusCode, headers, body } = await pending;
      return { operation: exchange.operation, status: statusCode, headers, body };
    } catch (error) {
      const code = tooLarge ? 'bad_answer' : codeOf(error, exchange.signal);
      throw lost(options.library, exchange, code, wasConnected(error));
    } finally {
      exchange.signal?.removeEventListener('abort', abort);
    }
  };

  return {
    send: async (exchange) => {
      const startedAt = performance.now();
      const told = (status: number | KohaErrorCode): void => {
        const ms = performance.now() - startedAt;
        options.onCall?.({ library: options.library, operation: exchange.operation, status, ms });
      };
      try {
        const answer = await attempt(exchange);
        told(answer.status);
        return answer;
      } catch (error) {
        if (error instanceof KohaError) told(error.code);
        throw error;
      }
    },
    close: () => {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

/** Blanks become `%20`: not every server in front of a Koha reads `+` as a blank. */
function queryString(query: Readonly<Record<string, string>> | undefined): string {
  if (query === undefined) return '';
  return `?${new URLSearchParams(query).toString().replaceAll('+', '%20')}`;
}

function lost(library: string, exchange: Exchange, code: KohaErrorCode, connected: boolean): KohaError {
  const { operation } = exchange;
  return new KohaError({ code, library, operation, effect: connected ? effectOf(operation) : 'none' });
}

function codeOf(error: unknown, signal: AbortSignal | undefined): KohaErrorCode {
  if (signal?.aborted === true) return 'aborted';
  if (error instanceof TimeoutError) return 'timeout';
  if (error instanceof RequestError && error.code.startsWith('HPE_')) return 'bad_answer';
  return wasConnected(error) ? 'reset' : 'unreachable';
}

/** Before the connection stood (TLS included) nothing of the request can have been read by anyone. */
function wasConnected(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  const { timings, options } = error;
  const isTls = options.url instanceof URL && options.url.protocol === 'https:';
  return (isTls ? timings?.secureConnect : timings?.connect) !== undefined;
}
