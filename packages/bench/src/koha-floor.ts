import { barcodeOf, cardOf, nameOf, type StartedKoha } from './kohas-protocol.ts';
import { Agent, request } from 'node:http';

/** The calls of one event and nothing else, with what our client sends along, over warm connections. */
export interface KohaFloor {
  /** `GET /patrons` for a card at a home. */
  look(home: StartedKoha, card: string): Promise<void>;
  /** All calls of one event of the n-th card, after one another, reported as `NAME-n`. */
  runEvent(
    at: { readonly home: StartedKoha; readonly lending: StartedKoha },
    index: number,
    name: string,
  ): Promise<void>;
  /** The header that it sends to a Koha. */
  authorization(koha: StartedKoha): string;
  close(): void;
}

const AT_BRANCH = { 'x-koha-library': 'MAIN' };

/** How our client looks a card up at home. */
const LOOK_UP_HEADERS = { 'x-koha-embed': 'extended_attributes' };
const lookUpPath = (card: string): string =>
  `/patrons?_order_by=%2Bme.patron_id&_per_page=100&q=${encodeURIComponent(JSON.stringify({ cardnumber: card }))}`;

/** Gets a token of every Koha first, so that none is counted later. */
export async function createKohaFloor(kohas: readonly StartedKoha[]): Promise<KohaFloor> {
  const byId = new Map(await Promise.all(kohas.map(reachKoha)));
  const reachOf = ({ id }: StartedKoha) => {
    const reach = byId.get(id);
    if (reach === undefined) throw new Error(`${id} is not known`);
    return reach;
  };
  async function call(
    koha: StartedKoha,
    method: string,
    path: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown } = {},
  ): Promise<string> {
    const { client, authorization } = reachOf(koha);
    const body = more.json === undefined ? undefined : JSON.stringify(more.json);
    const headers = {
      authorization,
      accept: 'application/json',
      'user-agent': 'bench',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...more.headers,
    };
    const answer = await client.call(method, `/api/v1${path}`, headers, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  }
  async function look(home: StartedKoha, card: string): Promise<void> {
    await call(home, 'GET', lookUpPath(card), { headers: LOOK_UP_HEADERS });
  }
  return {
    look,
    async runEvent({ home, lending }, index, name) {
      const card = cardOf(home.prefix, index);
      await look(home, card);
      const copy = await call(lending, 'POST', '/patrons', {
        headers: { ...AT_BRANCH, 'x-koha-override': 'welcome_no' },
        json: copyOf(card, home.id, index),
      });
      const { patron_id } = JSON.parse(copy) as { patron_id: number };
      const checkout = { patron_id, external_id: barcodeOf(index) };
      await call(lending, 'POST', '/checkouts', { headers: AT_BRANCH, json: checkout });
      const eventId = `${name}-${index}`;
      const outcome = { event_id: eventId, library: lending.id, seq: 1, state: 'done', outcome: 'COPIED' };
      await call(lending, 'PUT', `/contrib/passport/scans/${eventId}/outcome`, { json: outcome });
    },
    authorization: (koha) => reachOf(koha).authorization,
    close() {
      for (const { client } of byId.values()) client.close();
    },
  };
}

async function reachKoha(koha: StartedKoha) {
  const client = createWarmClient(koha.url);
  const form = `grant_type=client_credentials&client_id=${koha.clientId}&client_secret=${koha.clientSecret}`;
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const { body } = await client.call('POST', '/api/v1/oauth/token', type, form);
  const { access_token: token } = JSON.parse(body) as { access_token: string };
  return [koha.id, { client, authorization: `Bearer ${token}` }] as const;
}

const copyOf = (card: string, home: string, homeId: number) => ({
  cardnumber: card,
  surname: nameOf(homeId),
  firstname: nameOf(Number(card.slice(5))),
  address: '1 Bench Row',
  city: 'Benchmark',
  email: `p${homeId}@post.example`,
  category_id: 'PT',
  library_id: 'MAIN',
  date_of_birth: '1980-01-01',
  expiry_date: '2037-12-31',
  extended_attributes: [
    { type: 'PASSPORTED', value: home },
    { type: 'PASSPORTED_ID', value: `${home}:floor-${homeId}` },
  ],
});

interface WarmClient {
  /** One request over a connection that stays open. */
  call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

/** Plain `node:http` with kept connections: the least that a call can cost here. */
export function createWarmClient(baseUrl: string): WarmClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, noDelay: true, timeout: 30_000 });
  return {
    call: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const call = request(`${baseUrl}${path}`, { agent, method, headers: { ...headers, ...length } });
        call.once('error', reject);
        call.once('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.once('error', reject);
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        });
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
}
