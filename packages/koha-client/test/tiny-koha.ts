import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKohaClient, type KohaClientOptions } from '../src/index.ts';

/** What a test saw arrive. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Reply = (response: ServerResponse, seen: Seen) => void;

/** A reply with a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A reply with these bytes, whatever they are. */
export function raw(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Never answers. */
export const hang: Reply = () => undefined;

/** Drops the connection without an answer. */
export const reset: Reply = (response) => {
  response.socket?.resetAndDestroy();
};

export const CLIENT_ID = 'planted-client-id';
export const CLIENT_SECRET = 'planted-client-secret';
export const TOKEN = 'planted-token';
export const CARD = '21234000000017';

const DESCRIPTION = {
  swagger: '2.0',
  paths: {
    '/patrons': {
      post: {
        parameters: [
          { in: 'body', name: 'body', schema: { $ref: '#/definitions/patron' } },
          { in: 'header', name: 'x-koha-override', items: { enum: ['welcome_yes', 'welcome_no'] } },
          { in: 'header', name: 'x-confirm-not-duplicate', type: 'integer' },
        ],
      },
    },
    '/checkouts': {
      post: {
        parameters: [
          {
            in: 'body',
            name: 'body',
            schema: { properties: { patron_id: {}, item_id: {}, external_id: {} } },
          },
        ],
      },
    },
  },
  definitions: { patron: { properties: { surname: {}, cardnumber: {}, preferred_name: {} } } },
};

/** A server on a free port that plays the scripted replies of each route, repeating the last, and notes what it was sent. */
export async function startTinyKoha(script: Record<string, Reply | Reply[]> = {}) {
  const seen: Seen[] = [];
  const open = new Set<ServerResponse>();
  let mostOpen = 0;
  const replies: Record<string, Reply | Reply[]> = {
    'POST /api/v1/oauth/token': json(200, {
      access_token: TOKEN,
      token_type: 'Bearer',
      expires_in: 3600,
    }),
    'GET /api/v1/': json(200, DESCRIPTION),
    ...script,
  };
  const server = createServer((request, response) => {
    open.add(response);
    mostOpen = Math.max(mostOpen, open.size);
    response.on('close', () => open.delete(response));
    const url = new URL(request.url ?? '/', 'http://koha.test');
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const arrived: Seen = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body,
      };
      seen.push(arrived);
      const planned = replies[`${arrived.method} ${arrived.path}`] ?? json(404, { errors: [], status: 404 });
      const reply = Array.isArray(planned)
        ? ((planned.length > 1 ? planned.shift() : planned[0]) ?? hang)
        : planned;
      reply(response, arrived);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clients: { close(): void }[] = [];
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    seen,
    /** Calls other than for a token or the description. */
    calls: () =>
      seen.filter(({ path }) => path !== '/api/v1/oauth/token' && path !== '/api/v1/').map((call) => call),
    count: (method: string, path: string) =>
      seen.filter((call) => call.method === method && call.path === path).length,
    mostOpen: () => mostOpen,
    client: (options: Partial<KohaClientOptions> = {}) => {
      const client = createKohaClient({
        library: 'midland',
        url: `http://127.0.0.1:${port}`,
        clientId: CLIENT_ID,
        clientSecret: CLIENT_SECRET,
        timeoutMs: 2_000,
        maxInFlight: 8,
        now: () => Date.parse('2026-11-25T09:00:00Z'),
        ...options,
      });
      clients.push(client);
      return client;
    },
    /** Takes no connection any more. */
    refuse: () => void server.close(),
    close: async () => {
      for (const client of clients) client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type TinyKoha = Awaited<ReturnType<typeof startTinyKoha>>;

/** A patron as Koha renders one, valid; a test breaks one thing. */
export function patronRow(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    patron_id: 812,
    cardnumber: CARD,
    surname: 'Okafor',
    firstname: 'Adaeze',
    email: 'adaeze@example.org',
    library_id: 'MAIN',
    category_id: 'AD',
    date_of_birth: '1990-05-01',
    expiry_date: '2027-05-01',
    expired: false,
    restricted: false,
    patron_card_lost: false,
    incorrect_address: false,
    ...changes,
  };
}

/** The body of a create, valid. */
export const PATRON_BODY = {
  cardnumber: CARD,
  surname: 'Okafor',
  library_id: 'MAIN',
  category_id: 'PT',
};
