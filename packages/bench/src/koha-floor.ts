import { nameOf } from './kohas-protocol.ts';
import type { StartedKoha } from './kohas-protocol.ts';
import { createWarmClient } from './warm-client.ts';

/** The calls of the story and nothing else, over warm connections. */
export interface KohaFloor {
  /** `GET /patrons` for a card at a home. */
  look(home: StartedKoha, card: string): Promise<void>;
  /** `POST /patrons` at the lending library; resolves with the id of the copy. */
  copy(lending: StartedKoha, card: string, home: string, homeId: number): Promise<number>;
  lend(lending: StartedKoha, patronId: number, barcode: string): Promise<void>;
  tell(lending: StartedKoha, eventId: string): Promise<void>;
  close(): void;
}

/** Gets a token of every Koha first, so that none is counted later. */
export async function createKohaFloor(kohas: readonly StartedKoha[]): Promise<KohaFloor> {
  const reached = await Promise.all(
    kohas.map(async (koha) => {
      const client = createWarmClient(koha.url);
      const form = `grant_type=client_credentials&client_id=${koha.clientId}&client_secret=${koha.clientSecret}`;
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const { body } = await client.call('POST', '/api/v1/oauth/token', type, form);
      const { access_token: token } = JSON.parse(body) as { access_token: string };
      return [koha.id, { client, authorization: `Bearer ${token}` }] as const;
    }),
  );
  const byId = new Map(reached);
  async function call(koha: StartedKoha, method: string, path: string, json?: unknown): Promise<string> {
    const reach = byId.get(koha.id);
    if (reach === undefined) throw new Error(`${koha.id} is not known`);
    const { client, authorization } = reach;
    const headers = { authorization, 'content-type': 'application/json', 'x-koha-library': 'MAIN' };
    const answer = await client.call(
      method,
      `/api/v1${path}`,
      headers,
      json === undefined ? undefined : JSON.stringify(json),
    );
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  }
  return {
    async look(home, card) {
      await call(home, 'GET', `/patrons?q=${encodeURIComponent(JSON.stringify({ cardnumber: card }))}`);
    },
    async copy(lending, card, home, homeId) {
      const body = await call(lending, 'POST', '/patrons', {
        cardnumber: card,
        surname: nameOf(homeId),
        firstname: nameOf(Number(card.slice(5))),
        category_id: 'PT',
        library_id: 'MAIN',
        date_of_birth: '1980-01-01',
        extended_attributes: [
          { type: 'PASSPORTED', value: home },
          { type: 'PASSPORTED_ID', value: `${home}:floor-${homeId}` },
        ],
      });
      return (JSON.parse(body) as { patron_id: number }).patron_id;
    },
    async lend(lending, patronId, barcode) {
      await call(lending, 'POST', '/checkouts', { patron_id: patronId, external_id: barcode });
    },
    async tell(lending, eventId) {
      await call(lending, 'PUT', `/contrib/passport/scans/${eventId}/outcome`, {
        event_id: eventId,
        library: lending.id,
        seq: 1,
        state: 'done',
        outcome: 'COPIED',
      });
    },
    close() {
      for (const { client } of byId.values()) client.close();
    },
  };
}
