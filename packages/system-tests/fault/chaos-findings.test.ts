import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EventState } from '@passport/contract';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { leakGuard, signedRequest } from '@passport/testkit';
import type { ChaosEvent } from './chaos-events.ts';
import type { ChaosPerson } from './chaos-people.ts';
import { type EventEnd, type WrongName, type Wrongs, findWrongs } from './chaos-findings.ts';

const own = leakGuard({ beforeEach, afterEach });
const WITHIN_MS = 12_000;
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const CARD = '21234000000017';
const ITEM = '39999000012345';

const event = (change: Partial<ChaosEvent> = {}): ChaosEvent => ({
  id: 'evt_1',
  library: 'riverside',
  kind: 'eligible',
  card: CARD,
  barcode: ITEM,
  scannedAtMs: Date.now(),
  request: signedRequest({ secret: SECRET, id: 'evt_1' }),
  followId: 'evt_1',
  person: null,
  answer: 'yes',
  expected: null,
  saidAtMs: null,
  heardAtMs: null,
  ...change,
});

const ended = (change: Partial<EventState> = {}): EventState => ({
  event_id: 'evt_1',
  library: 'riverside',
  seq: 3,
  state: 'done',
  outcome: 'COPIED',
  reasons: [],
  homes: [],
  patron_id: 2,
  checkout: { result: 'CHECKED_OUT', keys: [] },
  waiting_for: null,
  libraries: [],
  problem: null,
  attempt: 1,
  message: '',
  scanned_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
  ...change,
});

const marks = (homeKey: string) => [
  { type: 'PASSPORTED', value: 'midland' },
  { type: 'PASSPORTED_ID', value: homeKey },
];

/** A Koha after one event that went as promised: a marked copy, its checkout, the report to the desk. */
async function afterOneEvent(now: () => number = Date.now): Promise<KohaDouble> {
  const koha = own(await startKohaDouble({ library: 'riverside', now }));
  koha.putPatron(CARD, { surname: 'A', category_id: 'PT', extended_attributes: marks('midland:7') });
  koha.putItem(ITEM, { checked_out_to: CARD });
  await report(koha, 3);
  return koha;
}

async function report(koha: KohaDouble, seq: number): Promise<void> {
  const { clientId, clientSecret } = koha.credentials;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const token = await fetch(`${koha.url}/api/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  await fetch(`${koha.url}/api/v1/contrib/passport/scans/evt_1/outcome`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ event_id: 'evt_1', seq, state: 'done' }),
  });
}

const wrongsOf = (koha: KohaDouble, ends: readonly EventEnd[]): Wrongs => findWrongs(ends, [koha], WITHIN_MS);
const found = (wrongs: Wrongs): string[] =>
  Object.entries(wrongs).flatMap(([name, cases]) => (cases.length > 0 ? [name] : []));
const good: EventEnd = { event: event(), state: ended() };

describe('the check of a chaos run', () => {
  test('finds nothing wrong where all went as promised', async () => {
    expect(found(wrongsOf(await afterOneEvent(), [good]))).toEqual([]);
  });

  test.each<[WrongName, (koha: KohaDouble) => void]>([
    [
      'second copies',
      (koha) =>
        koha.putPatron('OTHER', { surname: 'A', category_id: 'PT', extended_attributes: marks('midland:7') }),
    ],
    [
      'unmarked copies',
      (koha) => koha.putPatron('OTHER', { surname: 'B', category_id: 'PT', extended_attributes: [] }),
    ],
    ['second checkouts', (koha) => koha.putItem(ITEM, { checked_out_to: CARD })],
    [
      'checkouts to somebody else',
      (koha) => {
        koha.putPatron('OTHER', { surname: 'C', category_id: 'AD' });
        koha.deleteItem(ITEM);
        koha.putItem(ITEM, { checked_out_to: 'OTHER' });
      },
    ],
  ])('finds %s', async (name, spoil) => {
    const koha = await afterOneEvent();
    spoil(koha);
    expect(found(wrongsOf(koha, [good]))).toContain(name);
  });

  test.each<EventEnd>([
    { event: event({ expected: 'no' }), state: ended({ outcome: 'CONSENT_REFUSED' }) },
    { event: event({ answer: 'never' }), state: ended({ outcome: 'CONSENT_LAPSED' }) },
  ])('takes the end that the patron chose for right', async (end) => {
    expect(found(wrongsOf(await afterOneEvent(), [end]))).toEqual([]);
  });

  test('takes a checkout for right that followed its patron to a new card', async () => {
    const koha = await afterOneEvent();
    const next = '21234000000018';
    koha.putPatron(CARD, { cardnumber: next });
    expect(found(wrongsOf(koha, [good]))).toEqual(['checkouts to somebody else']);
    const person: ChaosPerson = {
      home: 'midland',
      homeKey: 'midland:7',
      surname: 'A',
      cards: [CARD, next],
      mayBeRefused: false,
    };
    expect(found(wrongsOf(koha, [{ ...good, event: event({ person }) }]))).toEqual([]);
  });

  test('finds late checkouts', async () => {
    const koha = await afterOneEvent(() => Date.now() + WITHIN_MS + 2_000);
    expect(found(wrongsOf(koha, [good]))).toEqual(['late checkouts']);
  });

  test.each<[WrongName, EventEnd]>([
    ['acknowledged events without an outcome', { event: event(), state: null }],
    ['acknowledged events without an outcome', { event: event(), state: ended({ outcome: null }) }],
    ['events that were never acknowledged', { event: event({ followId: null }), state: null }],
    ['wrong outcomes', { event: event({ kind: 'expired' }), state: ended() }],
    ['wrong outcomes', { event: event({ kind: 'unknown' }), state: ended() }],
    ['wrong outcomes', { event: event({ expected: 'yes' }), state: ended({ outcome: 'CONSENT_REFUSED' }) }],
    ['wrong outcomes', { event: event({ heardAtMs: 1 }), state: ended({ outcome: 'CONSENT_LAPSED' }) }],
    ['wrong outcomes', { event: event({ kind: 'lost' }), state: ended({ outcome: 'CONSENT_LAPSED' }) }],
    ['wrong outcomes', { event: event(), state: ended({ outcome: 'NOT_ELIGIBLE' }) }],
    [
      'wrong outcomes',
      {
        event: event(),
        state: ended({
          outcome: 'MISCONFIGURED',
          problem: { library: 'riverside', what: 'other', name: 'internal error' },
        }),
      },
    ],
    ['desks without a report', { event: event(), state: ended({ seq: 5 }) }],
  ])('finds %s', async (name, end) => {
    expect(found(wrongsOf(await afterOneEvent(), [end]))).toContain(name);
  });
});
