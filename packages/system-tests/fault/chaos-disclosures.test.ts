import { describe, expect, test } from '@jest/globals';
import { signedRequest } from '@passport/testkit';
import { type Disclosed, type DisclosureName, findDisclosures } from './chaos-disclosures.ts';
import type { ChaosEvent } from './chaos-events.ts';
import type { Wire } from './chaos-wire.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const at = (seconds: number): number => T0 + seconds * 1_000;
const HOME_KEY = 'midland:7';
const CARD = '21234000000017';
const PAIR = { lending: 'riverside', homeKey: HOME_KEY };
const nobody = { lender: 'riverside', homeKey: null, patronId: null, surname: null, card: null } as const;

const event: ChaosEvent = {
  id: 'evt_1',
  library: 'riverside',
  kind: 'eligible',
  card: CARD,
  barcode: null,
  scannedAtMs: at(0),
  request: signedRequest({ secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`, id: 'evt_1' }),
  followId: 'evt_1',
  person: null,
  answer: 'yes',
  expected: 'yes',
  saidAtMs: at(1),
  heardAtMs: at(1),
};
const create = { ...nobody, atMs: at(2), homeKey: HOME_KEY, card: CARD, fields: ['surname', 'email'] };
const change = { ...nobody, atMs: at(60), patronId: 402, fields: ['email'] };
const consent = { text_id: 'chaos-1' };
const madeReceipt = { ...PAIR, at: new Date(at(3)).toISOString(), fields: ['surname', 'email'], consent };
const refreshed = { ...PAIR, at: new Date(at(59)).toISOString(), fields: ['email'], what: 'refreshed' };

/** A copy that was made with consent, and refreshed once, as promised. */
const good: Disclosed = {
  wire: {
    writes: [create, change],
    reads: [{ atMs: at(59.9), lender: 'riverside', patronId: 402 }],
    restrictions: [],
    debts: [],
  },
  receipts: [madeReceipt, refreshed],
  records: new Map([['riverside 402', HOME_KEY]]),
  copies: [{ lender: 'riverside', patronId: 402, homeKey: HOME_KEY }],
  people: [
    {
      home: 'midland',
      homeKey: HOME_KEY,
      surname: 'Kovač',
      cards: [CARD, '21234000000018'],
      mayBeRefused: false,
    },
  ],
  ends: [{ event, state: endedAs('COPIED') }],
  edits: [],
  faults: [],
};

function endedAs(outcome: 'COPIED' | 'CONSENT_REFUSED') {
  return {
    event_id: 'evt_1',
    library: 'riverside',
    seq: 3,
    state: 'done' as const,
    outcome,
    reasons: [],
    homes: [],
    patron_id: 402,
    checkout: null,
    waiting_for: null,
    libraries: [],
    problem: null,
    attempt: 1,
    message: '',
    scanned_at: new Date(at(0)).toISOString(),
    updated_at: new Date(at(3)).toISOString(),
  };
}

const withWire = (wire: Partial<Wire>): Disclosed => ({ ...good, wire: { ...good.wire, ...wire } });
const found = (input: Disclosed): string[] =>
  Object.entries(findDisclosures(input).wrongs).flatMap(([name, cases]) => (cases.length > 0 ? [name] : []));
const refreshedWith = (fields: readonly string[]) => ({ ...refreshed, fields });
const edit = (seconds: number) =>
  [{ lender: 'riverside', patronId: 402, field: 'email', atMs: at(seconds) }] as const;
const restriction = { atMs: at(100), homeKey: HOME_KEY, lender: 'riverside' };
const debt = (seconds: number, amount = 2_500) => ({ ...restriction, atMs: at(seconds), amount });
const spanOver = (seconds: number) => [{ name: 'worker killed', fromMs: at(seconds), toMs: at(seconds + 1) }];

describe('the check of what a chaos run disclosed', () => {
  test('finds nothing wrong where all went as promised', () => {
    expect(found(good)).toEqual([]);
    expect(findDisclosures(good).counts).toMatchObject({ values: 2, receipts: 2, receiptsExcused: 0 });
  });

  test.each<[DisclosureName, string, Disclosed]>([
    [
      'values without a receipt',
      'of a change',
      { ...withWire({ writes: [create, { ...change, fields: ['phone'] }] }) },
    ],
    ['values without a receipt', 'of a create', { ...good, receipts: [refreshed] }],
    [
      'values without a receipt',
      'of a restriction',
      withWire({ writes: [create, change, { ...change, fields: ['restricted'] }] }),
    ],
    [
      'values without a receipt',
      'of a card that this library has not scanned',
      withWire({ writes: [create, change, { ...change, fields: ['cardnumber'], card: '21234000000018' }] }),
    ],
    [
      'values without a receipt',
      'of a search by name',
      withWire({
        writes: [create, change, { ...nobody, atMs: at(2), surname: 'Kovač', fields: ['date_of_birth'] }],
      }),
    ],
    [
      'values without a receipt',
      'of a copy that is none',
      withWire({ writes: [create, change, { ...change, patronId: 1002, fields: ['email'] }] }),
    ],
    [
      'receipts without a value',
      'beside a card that was scanned here',
      { ...good, receipts: [madeReceipt, refreshedWith(['cardnumber', 'phone'])] },
    ],
    [
      'receipts without a value',
      'of a refresh',
      { ...good, receipts: [madeReceipt, refreshedWith(['email', 'phone'])] },
    ],
    [
      'receipts without a value',
      'of a refresh long after a fault',
      { ...good, receipts: [madeReceipt, refreshedWith(['email', 'phone'])], faults: spanOver(10) },
    ],
    [
      'values without consent',
      'before the yes',
      { ...good, ends: [{ event: { ...event, saidAtMs: at(5) }, state: null }] },
    ],
    [
      'values without consent',
      'of a field that was not agreed to',
      {
        ...withWire({ writes: [create, { ...change, fields: ['email', 'phone'] }] }),
        receipts: [madeReceipt, refreshedWith(['email', 'phone'])],
      },
    ],
    [
      'values against a no',
      'that was heard',
      {
        ...good,
        ends: [...good.ends, { event: { ...event, id: 'evt_2', expected: 'no' }, state: endedAs('COPIED') }],
      },
    ],
    ['local edits overwritten', 'that were read before', { ...good, edits: edit(50) }],
    [
      'local edits overwritten',
      'long after they were read',
      { ...withWire({ reads: [{ atMs: at(49), lender: 'riverside', patronId: 402 }] }), edits: edit(52) },
    ],
    [
      'restrictions for debts read once',
      'one reading',
      withWire({ restrictions: [restriction], debts: [debt(90)] }),
    ],
    [
      'restrictions for debts read once',
      'one of them below the limit',
      withWire({ restrictions: [restriction], debts: [debt(80, 1_500), debt(90)] }),
    ],
    ['copies without a record', 'none', { ...good, records: new Map() }],
    [
      'copies without a record',
      'of another patron',
      { ...good, records: new Map([['riverside 402', 'midland:8']]) },
    ],
  ])('finds %s: %s', (name, _which, input) => {
    expect(found(input)).toContain(name);
  });

  test.each<[string, Disclosed]>([
    [
      'a receipt whose worker was killed before its value left',
      { ...good, receipts: [madeReceipt, refreshedWith(['email', 'phone'])], faults: spanOver(60) },
    ],
    [
      'a card that this library has scanned itself',
      withWire({ writes: [create, change, { ...change, fields: ['cardnumber'], card: CARD }] }),
    ],
    ['an edit in the moment between read and write', { ...good, edits: edit(59.95) }],
    ['a debt that was read twice', withWire({ restrictions: [restriction], debts: [debt(80), debt(90)] })],
  ])('excuses %s', (_which, input) => {
    expect(found(input)).toEqual([]);
  });
});
