import { expect, test } from '@jest/globals';
import { withReceiver } from './support/with-receiver.ts';

test('a receiver that never answers costs half a second', () =>
  withReceiver(
    () => null,
    async (koha) => {
      await koha.token();
      const startedAt = performance.now();
      const body = { cardnumber: '21234000000017' };
      expect(await koha.request('POST', '/api/v1/contrib/passport/scans', { body })).toMatchObject({
        status: 503,
        body: { error_code: 'receiver_unreachable', event_id: expect.any(String) },
      });
      // As long as the plugin waits; a double that waited for a second would pass for a slow desk.
      expect(performance.now() - startedAt).toBeLessThan(950);
    },
  ));
