import { Agent, request } from 'node:http';
import { barcodeOf, cardOf, nameOf, type StartedKoha } from './kohas-protocol.ts';

/** The calls of one event and nothing else, with what our client sends along, over warm connections. */
export interface Floor {
  /** `GET /patrons` for a card at a home. */
  look(home: StartedKoha, card: string): Promise<void>;
  /** All calls of one event of the n-th card, after one another, reported as `floor-n`. */
  runEvent(home: StartedKoha, lending: StartedKoha, index: number): Promise<void>;
  /** The header that it sends to a Koha. */
  authorization(koha: StartedKoha): string;
  close(): void;
}

const AT_BRANCH = { 'x-koha-library': 'MAIN' };

/** Gets a token of every Koha first, so that none is counted later. */
export async function createFloor(kohas: readonly StartedKoha[]): Promise<Floor> {
  const byId = new Map(await Promise.all(kohas.map(reachKoha)));
  const reachOf = ({ id }: StartedKoha) => {
    const reach = byId.get(id);
    if (reach === undefined) throw new Error(`${id} is not known`);
    return reach;
  };
  const call = async (
    koha: StartedKoha,
    method: string,
    path: string,
    more: Readonly<Record<string, string>>,
    json?: unknown,
  ): Promise<string> => {
    const { client, authorization } = reachOf(koha);
    const common = { authorization, accept: 'application/json', 'user-agent': 'bench', ...more };
    const answer = await (json === undefined
      ? client.call(method, `/api/v1${path}`, common)
      : client.call(
          method,
          `/api/v1${path}`,
          { ...common, 'content-type': 'application/json' },
          JSON.stringify(json),
        ));
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  };
  /** How our client looks a card up at home. */
  const look = async (home: StartedKoha, card: string): Promise<void> => {
    const q = encodeURIComponent(JSON.stringify({ cardnumber: card }));
    const path = `/patrons?_order_by=%2Bme.patron_id&_per_page=100&q=${q}`;
    await call(home, 'GET', path, { 'x-koha-embed': 'extended_attributes' });
  };
  return {
    look,
    async runEvent(home, lending, index) {
      const card = cardOf(home.prefix, index);
      await look(home, card);
      const headers = { ...AT_BRANCH, 'x-koha-override': 'welcome_no' };
      const copy = await call(lending, 'POST', '/patrons', headers, copyOf(card, home.id, index));
      const { patron_id } = JSON.parse(copy) as { patron_id: number };
      const checkout = { patron_id, external_id: barcodeOf(index) };
      await call(lending, 'POST', '/checkouts', AT_BRANCH, checkout);
      const id = `floor-${index}`;
      const outcome = { event_id: id, library: lending.id, seq: 1, state: 'done', outcome: 'COPIED' };
      await call(lending, 'PUT', `/contrib/passport/scans/${id}/outcome`, {}, outcome);
    },
    authorization: (koha) => reachOf(koha).authorization,
    close() {
      for (const { client } of byId.values()) client.close();
    },
  };
}

async function reachKoha({ id, url, clientId, clientSecret }: StartedKoha) {
  const client = createWarmClient(url);
  const form = `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}`;
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const { body } = await client.call('POST', '/api/v1/oauth/token', type, form);
  const { access_token: token } = JSON.parse(body) as { access_token: string };
  return [id, { client, authorization: `Bearer ${token}` }] as const;
}

const copyOf = (card: string, home: string, index: number) => ({
  cardnumber: card,
  surname: nameOf(index),
  firstname: nameOf(Number(card.slice(5))),
  address: '1 Bench Row',
  city: 'Benchmark',
  email: `p${index}@post.example`,
  category_id: 'PT',
  library_id: 'MAIN',
  date_of_birth: '1980-01-01',
  expiry_date: '2037-12-31',
  extended_attributes: [
    { type: 'PASSPORTED', value: home },
    { type: 'PASSPORTED_ID', value: `${home}:floor-${index}` },
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
