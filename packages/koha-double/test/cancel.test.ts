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
        const { state: said, ...others } = body as { state: Record<string, unknown> };
        expect(others).toEqual({ event_id: 'e1', result: 'CHECKOUT_STOPPED' });
        expect(said).toMatchObject({
          ...ended,
          patron_id: 812,
          homes: [{ id: 'midland', name: 'Midland' }],
          reasons: [],
          checkout: null,
        });
        expect(JSON.stringify(said)).not.toContain('card');
        expect((await koha.request('GET', `${base}/scans/e1`)).body).toEqual(said);
        expect(events[0]).toMatchObject({ method: 'POST', url: '/webhooks/midland/e1/cancel' });
      },
    ));

  test.each([
    ['no result', { state: ended }],
    ['a result that is none', { result: 'ELSE', state: ended }],
    ['no state', { result: 'ENDED' }],
    ['a state of no event', { result: 'ENDED', state: { seq: 2, state: 'done' } }],
    ['an id that is none', { result: 'ENDED', state: { ...ended, event_id: 'a b' } }],
  ])('an answer with %s is none', (_what, body) =>
    withReceiver(
      () => ({ status: 200, body }),
      async (koha) => {
        const error_code = 'receiver_unreachable';
        expect(await cancel(koha)).toMatchObject({ status: 503, body: { error_code } });
        expect(koha.state().outcomes).toEqual([]);
      },
    ),
  );

  test.each(['not_seen', 'not_kept'])('hands on which events a receiver does not know: %s', (reason) =>
    withReceiver(
      () => ({ status: 404, body: { code: 'not_found', reason } }),
      async (koha) => {
        expect(await cancel(koha)).toMatchObject({ status: 404, body: { error_code: reason } });
      },
    ),
  );

  test.each<[number, number, string]>([
    [404, 404, 'not_found'],
    [429, 503, 'receiver_busy'],
    [503, 503, 'receiver_busy'],
    [500, 503, 'receiver_unreachable'],
    [401, 502, 'receiver_refused'],
  ])('a receiver that answers %i is reported as %i %s, with no id', (theirs, ours, error_code) =>
    withReceiver(
      () => ({ status: theirs, body: {} }),
      async (koha) => {
        const { status, body } = await cancel(koha);
        expect([status, body]).toEqual([ours, { error: expect.any(String), error_code }]);
      },
    ),
  );
});
