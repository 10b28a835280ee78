import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { maxAnswerBytes } from './answer-limits.ts';
import { causeOf } from './cause-code.ts';
import type { CauseCode } from './cause-code.ts';
import { effectOf } from './effect-of.ts';
import { type HttpAnswer, RequestFailure, sendRequest } from './http-request.ts';
import { KohaError } from './koha-error.ts';
import type { KohaErrorCode, KohaOperation } from './koha-error.ts';

/** One HTTP request to Koha, below authorisation and meaning. */
export interface Exchange {
  readonly operation: KohaOperation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back, whatever its status. */
export interface Answer extends HttpAnswer {
  readonly operation: KohaOperation;
  /** The branch the call was made as; null where it named none. */
  readonly actingAs: string | null;
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

const HEADERS = { 'user-agent': 'patron-passport', accept: 'application/json' };
const FORM = 'application/x-www-form-urlencoded';

/** Apache and Starman close an idle connection after 5 s. Closing first keeps a write from meeting that close. */
const IDLE_CONNECTION_MS = 4_000;

/**
 * Creates the only way to a Koha's network address: connections kept alive, no redirects, no cookies, no repetition,
 * no compression, answers of limited size. Errors of Node's client name addresses, so none leaves here.
 */
export function createTransport(options: TransportOptions): Transport {
  const base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  const sockets = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agent = { http: new HttpAgent(sockets), https: new HttpsAgent(sockets) };

  const attempt = async (exchange: Exchange): Promise<Answer> => {
    const { operation, method, timeoutMs, signal } = exchange;
    if (timeoutMs <= 0) throw lost(options.library, exchange, { code: 'timeout', connected: false });
    const { body, type } = bodyOf(exchange);
    try {
      const answer = await sendRequest({
        url: new URL(base + exchange.path + queryString(exchange.query)),
        method,
        headers: { ...HEADERS, ...type, ...exchange.headers },
        body,
        agent,
        timeoutMs,
        signal,
        maxBytes: maxAnswerBytes(operation),
      });
      return { operation, actingAs: exchange.headers?.['x-koha-library'] ?? null, ...answer };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      throw lost(options.library, exchange, whyLost(error));
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
        return answer;
      } catch (error) {
        if (error instanceof KohaError) report(error.code);
        throw error;
      }
    },
    close: () => {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

function bodyOf({ json, form }: Exchange): { body: string | null; type: Readonly<Record<string, string>> } {
  if (json !== undefined) return { body: JSON.stringify(json), type: { 'content-type': 'application/json' } };
  if (form === undefined) return { body: null, type: {} };
  return { body: new URLSearchParams(form).toString(), type: { 'content-type': FORM } };
}

/** Blanks become `%20`: not every server in front of a Koha reads `+` as a blank. */
function queryString(query: Readonly<Record<string, string>> | undefined): string {
  if (query === undefined) return '';
  return `?${new URLSearchParams(query).toString().replaceAll('+', '%20')}`;
}

interface Loss {
  readonly code: KohaErrorCode;
  readonly connected: boolean;
  readonly causeCode?: CauseCode | null;
}

function lost(library: string, { operation }: Exchange, loss: Loss): KohaError {
  const { code, connected, causeCode = null } = loss;
  return new KohaError({
    code,
    library,
    operation,
    effect: connected ? effectOf(operation) : 'none',
    causeCode,
  });
}

function whyLost(failure: RequestFailure): Loss {
  const connected = failure.progress === 'connected';
  switch (failure.why) {
    case 'too_large':
      return { code: 'bad_answer', connected, causeCode: 'too_large' };
    case 'aborted':
      return { code: 'aborted', connected };
    case 'timeout':
      return { code: 'timeout', connected, causeCode: causeOf(failure) };
    case 'failed': {
      const causeCode = causeOf(failure);
      if (causeCode === 'protocol') return { code: 'bad_answer', connected, causeCode };
      return { code: connected ? 'reset' : 'unreachable', connected, causeCode };
    }
    default:
      return failure.why satisfies never;
  }
}
