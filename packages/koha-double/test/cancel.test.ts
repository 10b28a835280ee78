import { describe, expect, test } from '@jest/globals';
import type { TestKoha } from './support/with-koha.ts';
import { withReceiver } from './support/with-receiver.ts';

const base = '/api/v1/contrib/passport';

describe('POST /scans/{event_id}/cancel', () => {
  const cancel = (koha: TestKoha): ReturnType<TestKoha['request']> =>
    koha.request('POST', `${base}/scans/e1/cancel`, { body: {} });
  const ended = { event_id: 'e1', seq: 2, state: 'done', outcome: 'CANCELLED' };

  test('hands on what it came to, and of the state what the plugin knows', () =>
    withReceiver(
      () => ({
        status: 202,
        body: {
          event_id: 'e1',
          result: 'CHECKOUT_STOPPED',
          state: {
            ...ended,
            patron_id: '812',
            homes: [{ id: 'midland', name: 'Midland', card: '1' }],
            card: '1',
          },
        },
      }),
      async (koha, events) => {
        const { status, body } = await cancel(koha);
        expect(status).toBe(200);
        const { state: expected, ...others } = body as { state: Record<string, unknown> };
        expect(others).toEqual({ event_id: 'e1', result: 'CHECKOUT_STOPPED' });
        expect(expected).toMatchObject({
          ...ended,
          patron_id: 812,
          homes: [{ id: 'midland', name: 'Midland' }],
          reasons: [],
          checkout: null,
        });
        expect(JSON.stringify(expected)).not.toContain('card');
        expect((await koha.request('GET', `${base}/scans/e1`)).body).toEqual(expected);
        expect(events[0]).toMatchObject({ method: 'POST', url: '/webhooks/midland/e1/cancel' });
      },
    ));
});
