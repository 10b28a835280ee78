import { PATRON_FIELDS } from '@passport/contract';
import fc from 'fast-check';

/** Values that stand for what must never leave a home library. */
export const PLANTED = 'planted-0815';

const SCRIPTS = [
  'Okafor',
  'Ångström-Çelik',
  'Нгуен Ольга',
  'Παπαδοπούλου',
  'محمد‌رضا',
  'שרה לוי',
  'नमस्ते',
  '山田 太郎',
  '김민준',
  'นภา',
  'አበበ',
  '👩‍👩‍👧‍👦',
  '🏳️‍🌈',
  'Z̸̡̢a̵l̴g̷o̶',
  '<b onclick="x">&amp;</b>',
  "Robert'); DROP TABLE borrowers;--",
  'a\u0000b\u001b[31m',
  'line\r\nbreak\u2028',
  '\u202Eright',
  '\ud83d',
];
const HIDDEN = [
  'password',
  'secret',
  'flags',
  'userid',
  'staff_notes',
  'opac_notes',
  'borrowernotes',
  'altaddress_notes',
  'altcontact_surname',
  'overdrive_auth_token',
  'statistics_1',
  'fax',
  'privacy',
  'debarredcomment',
  'login_attempts',
  '__proto__',
  'constructor',
];

const piece = fc.oneof(
  fc.constantFrom(...SCRIPTS),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
);
const text = fc.oneof(
  { weight: 40, arbitrary: piece },
  { weight: 9, arbitrary: fc.tuple(piece, piece).map((pieces) => pieces.join(' ')) },
  { weight: 1, arbitrary: piece.map((unit) => (unit === '' ? 'x' : unit).repeat(10_000).slice(0, 10_000)) },
);
const strange = fc.oneof(fc.integer(), fc.boolean(), fc.constant([]), fc.constant({ a: 1 }));
const value = fc.oneof(
  { weight: 12, arbitrary: text },
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: strange },
);
const date = fc.oneof(
  fc.constantFrom('1990-02-29', '0000-00-00', '1990-05-01', '2000-02-29', '9999-12-31', ''),
  fc.date({ noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10)),
  value,
);

const fields = Object.fromEntries(
  PATRON_FIELDS.map(({ name, kind }) => [
    name,
    fc.option(kind === 'date' ? date : value, { nil: undefined }),
  ]),
);
const hidden = Object.fromEntries(
  HIDDEN.map((name) => [name, fc.option(fc.constant(PLANTED), { nil: undefined })]),
);

/** The JSON of a patron as some home Koha may send it one day: all fields, extra ones, all kinds of values. */
export const anyHomeRecord: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.record({ ...fields, surname: fc.oneof(text, value) }),
    fc.record(hidden),
    fc.dictionary(fc.string({ minLength: 1 }), fc.constant(PLANTED), { maxKeys: 4 }),
    fc.record({
      category_id: fc.constantFrom('AD', 'CH', 'STAFF'),
      expiry_date: fc.constantFrom('2030-01-01', '2026-11-25', null),
    }),
  )
  .map(([known, secret, extra, facts]) => ({
    ...extra,
    ...secret,
    ...known,
    ...facts,
    library_id: 'CENTRAL',
    expired: false,
    anonymized: false,
    restricted: false,
    patron_card_lost: null,
    incorrect_address: false,
    extended_attributes: [{ type: 'SHOE', value: PLANTED, extended_attribute_id: 1 }],
  }));
