import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  type SignatureHeader,
  formatWebhookSecret,
  isSignedWith,
  parseWebhookSecret,
  readDeliveryHeaders,
  secondsOutsideWindow,
  signDelivery,
} from '@passport/contract';

interface Vectors {
  cases: {
    name: string;
    secrets: string[];
    now: number;
    headers: [SignatureHeader, string][];
    body_base64: string;
    verdict: string;
  }[];
  secrets: { name: string; secret: string; good: boolean }[];
}
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/signatures.json', import.meta.url), 'utf8'),
) as Vectors;

function resultOf(vector: Vectors['cases'][number]): string {
  const reading = readDeliveryHeaders((name) =>
    vector.headers.filter(([header]) => header === name).map(([, value]) => value),
  );
  if (reading.kind === 'malformed') return 'malformed';
  const { headers } = reading;
  const good =
    isSignedWith(vector.secrets.map(parseWebhookSecret), {
      headers,
      body: Buffer.from(vector.body_base64, 'base64'),
    }) && secondsOutsideWindow(headers, vector.now) === 0;
  return good ? 'accepted' : 'bad_signature';
}

describe('signature vectors', () => {
  test.each(vectors.cases)('$name: $verdict', (vector) => {
    expect(resultOf(vector)).toBe(vector.verdict);
  });
});

describe('webhook secrets', () => {
  test.each(vectors.secrets)('a secret of $name is good: $good', ({ secret, good }) => {
    const reading = (): Buffer => parseWebhookSecret(secret);
    if (good) expect(formatWebhookSecret(reading())).toBe(secret);
    else expect(reading).toThrow(RangeError);
  });

  test('a refused secret is not in the error', () => {
    const secret = `whsec_${Buffer.from('far too short').toString('base64')}`;
    expect(() => parseWebhookSecret(secret)).toThrow(/^(?!.*ZmFy).*13$/);
  });
});

describe('signing', () => {
  test('the known answer of Standard Webhooks', () => {
    const headers = signDelivery({
      secrets: [parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1614265330,
      body: Buffer.from('{"test": 2432232314}'),
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('a sender that changes its secret signs with both', () => {
    const secrets = [Buffer.alloc(24, 1), Buffer.alloc(24, 2)];
    const delivery = { id: 'a', timestamp: 1614265330, body: Buffer.from('{}') };
    const headers = signDelivery({ secrets, ...delivery });
    const reading = readDeliveryHeaders((name) => [headers[name]]);
    if (reading.kind === 'malformed') throw new Error(reading.problem);
    const accepts = (secret: Buffer): boolean =>
      isSignedWith([secret], { headers: reading.headers, body: delivery.body });
    expect([...secrets.map(accepts), accepts(Buffer.alloc(24, 3))]).toEqual([true, true, false]);
  });
});
