import { afterAll } from '@jest/globals';
import { startKohaDouble, type Exchange, type KohaDouble, type KohaDoubleOptions } from '../../src/index.ts';
import { checkExchange, reportUnchecked } from './koha-description.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
}

/** A double under test, and requests to its API as the service's user. */
export interface TestKoha extends KohaDouble {
  request(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  token(): Promise<string>;
}

/** Whether accepted requests must fit Koha's description too: not where Koha converts what does not quite fit. */
export interface TestOptions extends Partial<KohaDoubleOptions> {
  readonly acceptsUnfit?: boolean;
  /** What Koha does although its own description does not say so. */
  readonly undescribed?: readonly string[];
}

/** Runs one test against a double of its own; every answer is held against Koha's own description. */
export async function withKoha(options: TestOptions, test: (koha: TestKoha) => Promise<void>): Promise<void> {
  const problems: string[] = [];
  const onExchange = (exchange: Exchange): void => {
    const found = checkExchange(exchange);
    if (found === null) return;
    const where = `${exchange.method} ${exchange.path ?? '?'}`;
    for (const problem of found.answer) problems.push(`${where}: ${problem}`);
    const isAccepted = exchange.status < 300 && !exchange.isScripted && options.acceptsUnfit !== true;
    for (const problem of isAccepted ? found.request : []) problems.push(`${where} accepted: ${problem}`);
  };
  const { acceptsUnfit: _accepts, undescribed = [], ...others } = options;
  const koha = await startKohaDouble({ library: 'midland', onExchange, ...others });
  try {
    await test(asTestKoha(koha));
  } finally {
    await koha.close();
  }
  const unexpected = problems.filter((problem) => !undescribed.includes(problem));
  if (unexpected.length > 0) throw new Error(`unlike Koha's description:\n${unexpected.join('\n')}`);
}

function asTestKoha(koha: KohaDouble): TestKoha {
  let token: Promise<string> | undefined;
  const test: TestKoha = {
    ...koha,
    token: () => (token ??= fetchToken(koha)),
    request: async (method, path, options = {}) => {
      const headers = { authorization: `Bearer ${await test.token()}`, ...options.headers };
      return sendRequest(koha.url + path, method, { ...options, headers });
    },
  };
  return test;
}

/** Any request; a body becomes JSON unless it is text already. */
export async function sendRequest(url: string, method: string, options: RequestOptions = {}): Promise<Reply> {
  const search =
    options.query === undefined
      ? ''
      : `?${new URLSearchParams(options.query as Record<string, string>).toString()}`;
  const response = await fetch(url + search, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : asJson(text) };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export async function fetchToken(koha: KohaDouble): Promise<string> {
  const { clientId, clientSecret } = koha.credentials;
  const reply = await requestToken(koha, {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  });
  return (reply.body as { readonly access_token: string }).access_token;
}

export function requestToken(
  koha: KohaDouble,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return sendRequest(`${koha.url}/api/v1/oauth/token`, 'POST', {
    body: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}

afterAll(reportUnchecked);
