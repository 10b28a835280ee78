import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseWebhookSecret, signDelivery } from '@passport/contract';
import { openReceipts } from '@passport/queue/copies';
import { sendRaw, rawRequest } from '@passport/testkit';
import { type AnswerBody, SECRET, useReceiver, reportingLibrary } from './receiver-fixture.ts';

interface SignatureVector {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly now: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body_base64: string;
  readonly verdict: 'accepted' | 'malformed' | 'bad_signature';
}
interface EventVector {
  readonly name: string;
  readonly delivered_at: number;
  readonly body: unknown;
  readonly expect: {
    readonly kind: 'patron.not_found' | 'patron.seen' | 'passport.test' | 'ignored' | 'invalid';
    readonly field?: string;
    readonly event?: {
      readonly cardnumber: string;
      readonly branch: string;
      readonly item_barcode: string | null;
      readonly interface: string;
      readonly operator: number | null;
      readonly scanned_at: string;
      readonly decides?: readonly string[];
    };
  };
}

const casesOf = <T>(file: string): T[] => {
  const url = new URL(`../../../packages/contract/vectors/${file}`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: T[] }).cases;
};

const receiver = useReceiver();

async function send(headers: readonly (readonly [string, string])[], body: Buffer) {
  const bytes = rawRequest({
    line: 'POST /webhooks/riverside',
    headers: [['content-type', 'application/json'], ...headers],
    body,
  });
  const answer = await sendRaw(receiver.port, bytes);
  return { status: answer.status, body: JSON.parse(answer.body) as AnswerBody };
}

describe('signature vectors over HTTP', () => {
  test.each(casesOf<SignatureVector>('signatures.json'))('$name: $verdict', async (vector) => {
    receiver.libraries.set('riverside', reportingLibrary('riverside', vector.secrets));
    receiver.clock.nowSeconds = () => vector.now;

    const { status, body } = await send(vector.headers, Buffer.from(vector.body_base64, 'base64'));

    if (vector.verdict === 'malformed') {
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'header_malformed' });
      const [, named = body.field] = /^(webhook-\S+) is/.exec(vector.name) ?? [];
      expect(body.field).toMatch(/^webhook-(id|timestamp|signature)$/);
      expect(body.field).toBe(named);
    } else if (vector.verdict === 'bad_signature') {
      expect({ status, code: body.code }).toEqual({ status: 401, code: 'unauthorized' });
    } else {
      // The signature is good; what was signed is no event of ours.
      expect([400, 422]).toContain(status);
      expect(['not_json', 'invalid_field']).toContain(body.code);
    }
  });
});

/** The service has made the copy that an event says was scanned: what it has no record of is ignored. */
async function recordCopy(event: unknown): Promise<void> {
  const { patron_id: patronId } = (event as { readonly data: { readonly patron_id: number } }).data;
  const of = { home: 'midland', lending: 'riverside', homeKey: 'midland:2', fields: ['email'] };
  const receipt = { ...of, at: '', eventId: 'scan_1', patronId };
  await openReceipts(receiver.redis).append(receipt, Date.now(), 60_000);
}

describe('event vectors over HTTP', () => {
  test.each(casesOf<EventVector>('events.json'))('$name: $expect.kind', async (vector) => {
    receiver.libraries.set('riverside', reportingLibrary('riverside'));
    receiver.clock.nowSeconds = () => vector.delivered_at;
    const body = Buffer.from(JSON.stringify(vector.body));
    const secrets = [parseWebhookSecret(SECRET)];
    const headers = signDelivery({ secrets, id: 'evt_1', timestamp: vector.delivered_at, body });

    if (vector.expect.kind === 'patron.seen') await recordCopy(vector.body);
    const answer = await send(Object.entries(headers), body);

    switch (vector.expect.kind) {
      case 'invalid':
        expect(answer).toMatchObject({
          status: 422,
          body: { code: 'invalid_field', field: vector.expect.field },
        });
        break;
      case 'ignored':
        expect(answer).toEqual({
          status: 202,
          body: { event_id: 'evt_1', status: 'accepted', ignored: true },
        });
        break;
      case 'passport.test':
        expect(answer).toEqual({ status: 202, body: { event_id: 'evt_1', status: 'accepted', test: true } });
        break;
      case 'patron.seen':
      case 'patron.not_found':
        expect(answer).toEqual({ status: 202, body: { event_id: 'evt_1', status: 'accepted' } });
    }
    expect(await queued()).toEqual(vector.expect.event === undefined ? [] : [vector.expect.event]);
  });
});

/** What is in the queue, opened again. */
async function queued(): Promise<EventVector['expect']['event'][]> {
  const decrypt = (encrypted: string, field: string) =>
    receiver.encryption.decrypt(encrypted, `riverside.evt_1.${field}`);
  return (await receiver.jobs()).map((job) => ({
    cardnumber: decrypt(job.encrypted_card ?? '', 'card'),
    branch: job.branch,
    item_barcode: job.encrypted_item === null ? null : decrypt(job.encrypted_item, 'item'),
    interface: job.interface,
    operator: job.operator,
    scanned_at: job.scanned_at,
    ...(job.decides === undefined ? {} : { decides: job.decides }),
  }));
}
