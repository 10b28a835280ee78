import { describe, expect, test } from '@jest/globals';
import type { TestKoha } from './support/with-koha.ts';
import { withReceiver } from './support/with-receiver.ts';

const base = '/api/v1/contrib/passport';
const YES = { answer: 'yes', text_id: '2026-11' };

describe('POST /scans/{event_id}/consent', () => {
  const answer = (koha: TestKoha, body: object = YES): ReturnType<TestKoha['request']> =>
    koha.request('POST', `${base}/scans/e1/consent`, { body });

  test('hands the answer on, with the number of who is logged in', () =>
    withReceiver(
      () => ({ status: 200, body: { event_id: 'e1', answer: 'yes' } }),
      async (koha, events) => {
        expect((await answer(koha)).status).toBe(204);
        expect(events[0]).toMatchObject({ method: 'POST', url: '/webhooks/midland/e1/consent' });
        const { type, data } = JSON.parse(events[0]?.body ?? '{}') as { type: string; data: object };
        expect(type).toBe('consent.answered');
        expect(data).toEqual({ ...YES, operator: expect.any(Number) });
      },
    ));

  test.each<[string, object]>([
    ['an answer that is neither', { ...YES, answer: 'maybe' }],
    ['no text', { answer: 'yes' }],
    ['a text that is no id', { ...YES, text_id: 'our text' }],
    ['more than that', { ...YES, name: 'x' }],
  ])('with %s is 400, and nothing is sent', (_what, body) =>
    withReceiver(
      () => ({ status: 200, body: {} }),
      async (koha, events) => {
        expect((await answer(koha, body)).status).toBe(400);
        expect(events).toEqual([]);
      },
    ),
  );

  test.each<[number, number, string]>([
    [404, 404, 'not_found'],
    [409, 409, 'no_question'],
    [429, 503, 'receiver_busy'],
    [401, 502, 'receiver_refused'],
  ])('a receiver that answers %i is reported as %i %s', (theirs, ours, error_code) =>
    withReceiver(
      () => ({ status: theirs, body: {} }),
      async (koha) => {
        expect(await answer(koha)).toMatchObject({ status: ours, body: { error_code } });
      },
    ),
  );
});
