import { expect, test } from '@jest/globals';
import { isSignedWith, parseEvent, parseWebhookSecret, readDeliveryHeaders } from '@passport/contract';
import { buildScanEvent, signedRequest } from '@passport/testkit';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

test('a signed request verifies over its own bytes at its own time', () => {
  const request = signedRequest({ secret: SECRET, timestamp: 1_795_000_000 });
  const reading = readDeliveryHeaders((name) => [request.headers[name] ?? '']);
  if (reading.kind !== 'read') throw new Error(reading.problem);
  const { headers } = reading;
  const secrets = [parseWebhookSecret(SECRET)];
  expect(isSignedWith(secrets, { headers, body: Buffer.from(request.body) })).toBe(true);
  expect(isSignedWith(secrets, { headers, body: Buffer.from(`${request.body} `) })).toBe(false);
  expect(headers).toMatchObject({ id: request.id, timestamp: 1_795_000_000 });
});

test('the built event fits the contract, and one key at a time can be replaced or left out', () => {
  const now = Math.floor(Date.now() / 1_000);
  expect(parseEvent(buildScanEvent(), now)).toMatchObject({ kind: 'patron.not_found' });
  expect(parseEvent(buildScanEvent({ branch: 'RIVER' }), now)).toMatchObject({ event: { branch: 'RIVER' } });
  const without = JSON.parse(JSON.stringify(buildScanEvent({ cardnumber: undefined }))) as unknown;
  expect(parseEvent(without, now)).toMatchObject({ kind: 'invalid', field: 'data.cardnumber' });
});
