import { nameOf, type StartedKoha } from './kohas-protocol.ts';
import { createWarmClient } from './warm-client.ts';

/** The calls of one event and nothing else, with what our client sends along, over warm connections. */
export interface KohaFloor {
  /** `GET /patrons` for a card at a home. */
  look(home: StartedKoha, card: string): Promise<void>;
  /** `POST /patrons` at the lending library; resolves with the id of the copy. */
  copy(lending: StartedKoha, card: string, home: string, homeId: number): Promise<number>;
  checkOut(lending: StartedKoha, patronId: number, barcode: string): Promise<void>;
  report(lending: StartedKoha, eventId: string): Promise<void>;
  /** The header that it sends to a Koha. */
  authorization(koha: StartedKoha): string;
  close(): void;
}

const AT_BRANCH = { 'x-koha-library': 'MAIN' };

/** How our client looks a card up at home. */
export const LOOK_UP_HEADERS = { 'x-koha-embed': 'extended_attributes' };
export const lookUpPath = (card: string): string =>
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
  return {
    async look(home, card) {
      await call(home, 'GET', lookUpPath(card), { headers: LOOK_UP_HEADERS });
    },
    async copy(lending, card, home, homeId) {
      const body = await call(lending, 'POST', '/patrons', {
        headers: { ...AT_BRANCH, 'x-koha-override': 'welcome_no' },
        json: copyOf(card, home, homeId),
      });
      return (JSON.parse(body) as { patron_id: number }).patron_id;
    },
    async checkOut(lending, patronId, barcode) {
      const json = { patron_id: patronId, external_id: barcode };
      await call(lending, 'POST', '/checkouts', { headers: AT_BRANCH, json });
    },
    async report(lending, eventId) {
      const json = { event_id: eventId, library: lending.id, seq: 1, state: 'done', outcome: 'COPIED' };
      await call(lending, 'PUT', `/contrib/passport/scans/${eventId}/outcome`, { json });
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
