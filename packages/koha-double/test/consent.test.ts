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
});
