import { describe, expect, test } from '@jest/globals';
import { type SignatureHeader, signDelivery } from '@passport/contract';
import type { AdmissionRequest } from '@passport/queue/admission';
import { createEncryption } from '@passport/runtime';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import { type Acceptance, acceptEvent } from '../src/deliveries/accept-event.ts';
import { buildAuthentication } from '../src/deliveries/authentication.ts';
import type { EventSink, JobOf, SinkAnswer } from '../src/deliveries/event-sink.ts';
import { buildJobMaker } from '../src/deliveries/job-maker.ts';
import type { NoteSeen } from '../src/deliveries/note-seen.ts';
import { SECRET, reportingLibrary } from './receiver-fixture.ts';

const NOW_S = 1_795_597_200;
const SCANNED = new Date((NOW_S - 7) * 1000).toISOString().replace('Z', '+00:00');
const encryption = createEncryption([Buffer.alloc(32, 'a'), Buffer.alloc(32, 'b')]);

/** A sink that gives the given answer, and remembers the requests. */
function buildSink(answer: SinkAnswer) {
  const requests: { how: 'check' | 'take'; question: AdmissionRequest; jobOf: JobOf | null }[] = [];
  const sink: EventSink = {
    async check(question) {
      requests.push({ how: 'check', question, jobOf: null });
      return answer;
    },
    async take(question, jobOf) {
      requests.push({ how: 'take', question, jobOf });
      return answer;
    },
  };
  return { sink, requests };
}

async function accept(
  change: {
    body?: string | ReturnType<typeof buildScanEvent>;
    answer?: SinkAnswer;
    library?: string;
    secret?: string;
    timestamp?: number;
    drop?: SignatureHeader;
    noted?: 'noted' | 'ignored' | 'unavailable';
  } = {},
) {
  const { sink, requests } = buildSink(change.answer ?? { kind: 'pass' });
  const authenticate = buildAuthentication({
    libraries: new Map([['riverside', reportingLibrary('riverside')]]),
    nowSeconds: () => NOW_S,
    monotonicNow: () => 0,
  });
  const request = signedRequest({
    secret: change.secret ?? SECRET,
    body: change.body ?? buildScanEvent({}, { timestamp: SCANNED }),
    id: 'evt_1',
    timestamp: change.timestamp ?? NOW_S - 2,
  });
  const seen: [library: string, patronId: number][] = [];
  const noteSeen: NoteSeen = (library, patronId) => {
    seen.push([library, patronId]);
    return Promise.resolve(change.noted ?? 'noted');
  };
  const jobs = buildJobMaker(encryption);
  const acceptance: Acceptance = await acceptEvent({ authenticate, sink, jobs, noteSeen })({
    library: change.library ?? 'riverside',
    header: (name) => (name === change.drop ? [] : [request.headers[name] ?? '']),
    body: Buffer.from(request.body),
  });
  return { acceptance, requests, seen };
}

const accepted: SinkAnswer = { kind: 'new', eventId: 'evt_1', add: true, priority: 1, nowMs: NOW_S * 1000 };

describe('accepting an event', () => {
  test.each([
    ['a missing header', { drop: 'webhook-id' }],
    ['a bad signature', { secret: `whsec_${Buffer.alloc(32, 'x').toString('base64')}` }],
    ['a delivery 301 s old', { timestamp: NOW_S - 301 }],
    ['a library that nobody knows', { library: 'nowhere' }],
  ] as const)('the queue gets no request about %s', async (_name, change) => {
    expect((await accept(change)).requests).toEqual([]);
  });

  test('an unknown library gets the answer of a bad signature', async () => {
    const secret = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;
    const unknown = await accept({ library: 'nowhere', secret });
    const bad = await accept({ secret });

    expect(unknown.acceptance).toEqual({ kind: 'unauthorized', why: { reason: 'signature' } });
    expect(unknown.acceptance).toEqual(bad.acceptance);
  });

  test('an unknown library cannot be met with the secret that it is verified against', async () => {
    const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;

    const { acceptance } = await accept({ library: 'nowhere', secret });

    expect(acceptance).toEqual({ kind: 'unauthorized', why: { reason: 'signature' } });
  });

  test.each([
    ['what is no JSON', '{"type"', 'rate', { kind: 'not_json' }],
    ['a byte order mark', `\uFEFF{"type":"passport.test"}`, 'rate', { kind: 'not_json' }],
    ['a test', '{"type":"passport.test"}', 'look', { kind: 'test', eventId: 'evt_1' }],
    ['another type', '{"type":"patron.found"}', 'look', { kind: 'ignored', eventId: 'evt_1' }],
    [
      'what does not fit',
      '{"type":"patron.not_found"}',
      'look',
      { kind: 'invalid_field', field: 'timestamp', problem: 'must be an RFC 3339 date-time with an offset' },
    ],
  ] as const)('%s takes from the rate and is never queued', async (_name, body, mode, expected) => {
    const { acceptance, requests } = await accept({ body });

    expect(acceptance).toEqual(expected);
    expect(requests.map(({ how, question }) => [how, question.mode])).toEqual([['check', mode]]);
  });

  const seenEvent = JSON.stringify({
    type: 'patron.seen',
    timestamp: SCANNED,
    data: { patron_id: 812 },
  });
  test.each([
    ['noted', { kind: 'seen', eventId: 'evt_1' }],
    ['ignored', { kind: 'ignored', eventId: 'evt_1' }],
    ['unavailable', { kind: 'unavailable', retryAfterMs: 2_000 }],
  ] as const)('a scan of a copy takes from the rate and is %s', async (noted, expected) => {
    const { acceptance, requests, seen } = await accept({ body: seenEvent, noted });

    expect(acceptance).toEqual(expected);
    expect(requests.map(({ how, question }) => [how, question.mode])).toEqual([['check', 'look']]);
    expect(seen).toEqual([['riverside', 812]]);
  });

  test('a scan of a copy over the rate, or twice, is noted nowhere', async () => {
    const limited = { kind: 'rate_limited', retryAfterMs: 1_234 } as const;
    expect(await accept({ body: seenEvent, answer: limited })).toMatchObject({
      acceptance: limited,
      seen: [],
    });
    const reused = await accept({ body: seenEvent, answer: { kind: 'reused' } });
    expect(reused).toMatchObject({ acceptance: { kind: 'id_reused' }, seen: [] });
  });

  test('JSON with a byte that is no UTF-8 is no JSON, though it is signed', async () => {
    const { sink } = buildSink({ kind: 'pass' });
    const library = reportingLibrary('riverside');
    const libraries = new Map([['riverside', library]]);
    const authenticate = buildAuthentication({ libraries, nowSeconds: () => NOW_S, monotonicNow: () => 0 });
    const body = Buffer.from('{"type":"passport.test","note":"\u00ff"}', 'latin1');
    const headers = signDelivery({ secrets: library.secrets, id: 'evt_1', timestamp: NOW_S, body });

    const jobs = buildJobMaker(encryption);
    const noteSeen: NoteSeen = () => Promise.resolve('noted');
    const acceptance = await acceptEvent({ authenticate, sink, jobs, noteSeen })({
      library: 'riverside',
      header: (name) => [headers[name]],
      body,
    });

    expect(acceptance).toEqual({ kind: 'not_json' });
  });

  test.each([
    [
      { kind: 'rate_limited', retryAfterMs: 1_234 },
      { kind: 'rate_limited', retryAfterMs: 1_234 },
    ],
    [{ kind: 'backlog_full' }, { kind: 'backlog_full', retryAfterMs: 5_000 }],
    [{ kind: 'reused' }, { kind: 'id_reused' }],
    [{ kind: 'unavailable' }, { kind: 'unavailable', retryAfterMs: 2_000 }],
    [accepted, { kind: 'accepted', eventId: 'evt_1' }],
    [
      { ...accepted, kind: 'duplicate', add: false },
      { kind: 'duplicate', eventId: 'evt_1' },
    ],
    [
      { ...accepted, kind: 'coalesced', eventId: 'evt_0' },
      { kind: 'coalesced', eventId: 'evt_0' },
    ],
  ] as const)('admission’s %j is answered with %j', async (answer, expected) => {
    expect((await accept({ answer })).acceptance).toEqual(expected);
  });

  test.each(['rate_limited', 'reused'] as const)(
    'a body that does not fit is still answered %s first',
    async (kind) => {
      const answer: SinkAnswer = kind === 'reused' ? { kind } : { kind, retryAfterMs: 1_000 };
      const { acceptance } = await accept({ body: '{"type":"patron.not_found"}', answer });

      expect(acceptance.kind).toBe(kind === 'reused' ? 'id_reused' : 'rate_limited');
    },
  );
});

describe('what is queued', () => {
  async function jobAt(receivedMs: number, body?: Parameters<typeof buildScanEvent>[0]) {
    const { requests } = await accept({
      answer: accepted,
      ...(body === undefined ? {} : { body: buildScanEvent(body, { timestamp: SCANNED }) }),
    });
    const { question, jobOf } = requests[0] ?? {};
    return { question, job: jobOf?.('evt_1', receivedMs) };
  }

  test('the age of a scan is measured by the sender’s clock alone', async () => {
    const { job } = await jobAt(NOW_S * 1000 + 999);

    expect(job).toMatchObject({ received_ms: NOW_S * 1000 + 999, age_at_delivery_ms: 5_000 });
  });

  test('card and item are encrypted for this event and field, and nowhere in clear', async () => {
    const { job } = await jobAt(NOW_S * 1000);

    expect(encryption.decrypt(job?.encrypted_card ?? '', 'riverside.evt_1.card')).toBe('21234000000017');
    expect(encryption.decrypt(job?.encrypted_item ?? '', 'riverside.evt_1.item')).toBe('39999000012345');
    expect(JSON.stringify(job)).not.toMatch(/21234000000017|39999000012345/);
  });

  test('admission gets hashes only, of the body with every key', async () => {
    const { question } = await jobAt(NOW_S * 1000);

    expect(question?.bodyHashes).toHaveLength(2);
    expect(JSON.stringify(question)).not.toMatch(/21234000000017|39999000012345|MAIN/);
  });

  test('scans are the same whatever the case of the card, and differ by card, by item and by desk', async () => {
    const hashOf = async (data: Parameters<typeof buildScanEvent>[0]) =>
      (await jobAt(NOW_S * 1000, data)).question?.scanHash;
    const [lower, upper] = [await hashOf({ cardnumber: 'ab12' }), await hashOf({ cardnumber: 'AB12' })];
    const others = [
      await hashOf({ cardnumber: 'ab13' }),
      await hashOf({ cardnumber: 'ab12', item_barcode: null }),
      await hashOf({ cardnumber: 'ab12', item_barcode: '39999000012346' }),
      await hashOf({ cardnumber: 'ab1', item_barcode: '239999000012345' }),
      await hashOf({ cardnumber: 'ab12', desk: 'one' }),
      await hashOf({ cardnumber: 'ab12', desk: 'two' }),
    ];

    expect(upper).toBe(lower);
    expect(new Set([lower, ...others]).size).toBe(7);
  });
});
