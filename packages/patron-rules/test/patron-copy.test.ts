import { describe, expect, test } from '@jest/globals';
import type { CopyPolicy, Library } from '@passport/config';
import { COPY_FIELDS, type CopyField } from '@passport/contract';
import type { KohaPatron, PatronBody } from '@passport/koha-client';
import { buildPatronCopy, type CopyCase, type PatronCopy } from '../src/index.ts';
import { CARD, aCopyCase, agreement, library, patron } from './builders.ts';

type Copy = Extract<PatronCopy, { kind: 'copy' }>;

function copyOf(changes: Partial<CopyCase> = {}): Copy {
  const copy = buildPatronCopy(aCopyCase(changes));
  if (copy.kind !== 'copy') throw new Error(`no copy: ${copy.problem.what}`);
  return copy;
}
const bodyOf = (changes: Partial<CopyCase> = {}): PatronBody => copyOf(changes).body;
const lending = (copy: Partial<CopyPolicy>): Library => library('riverside', { copy });
const withFields = (fields: Record<string, string | null>): KohaPatron => patron({ fields });

describe('a copy', () => {
  test('T-02 T-11 is the decided record, whole, and nothing more', () => {
    const some: CopyField[] = ['surname', 'firstname', 'email', 'date_of_birth'];
    expect(copyOf({ lending: lending({ fields: some, set: { statistics_1: 'passport' } }) })).toEqual({
      kind: 'copy',
      homeKey: 'midland:812',
      privacy: 1,
      fields: ['surname', 'firstname', 'email', 'date_of_birth'],
      agreed: ['surname', 'firstname', 'email', 'date_of_birth'],
      body: {
        cardnumber: CARD,
        surname: 'Okafor',
        firstname: 'Adaeze',
        email: 'home email',
        date_of_birth: '1990-05-01',
        library_id: 'MAIN',
        category_id: 'PT',
        expiry_date: '2027-05-01',
        statistics_1: 'passport',
        extended_attributes: [
          { type: 'PASSPORTED', value: 'midland' },
          { type: 'PASSPORTED_ID', value: 'midland:812' },
        ],
      },
    });
  });

  test('T-01 T-03 T-19 has no key outside the allow-list, whatever the record holds', () => {
    const planted = { password: 'x', userid: 'x', staff_notes: 'x', flags: 'x', future: 'x' };
    const record = { ...patron({ fields: planted }), ...planted } as KohaPatron;
    const allowed = new Set([
      ...COPY_FIELDS,
      'cardnumber',
      'library_id',
      'category_id',
      'expiry_date',
      'extended_attributes',
    ] as string[]);
    expect(Object.keys(bodyOf({ patron: record })).filter((key) => !allowed.has(key))).toEqual([]);
  });

  test('T-11 has the home’s spelling of the card', () => {
    expect(bodyOf({ patron: patron({ cardnumber: ' aB1 ' }) }).cardnumber).toBe('aB1');
  });

  test('has what the home shares, the agreement allows and the lending library wants, all three', () => {
    const fields = copyOf({
      home: library('midland', { share: { fields: ['surname', 'email', 'phone', 'city'] } }),
      agreement: agreement('midland', 'riverside', { fields: ['surname', 'email', 'city', 'firstname'] }),
      lending: lending({ fields: ['surname', 'email', 'phone', 'firstname'] }),
    }).fields;
    expect(fields).toEqual(['surname', 'email']);
  });

  test('always has the surname', () => {
    const copy = copyOf({ home: library('midland', { share: { fields: [] } }) });
    expect(copy.fields).toEqual(['surname']);
    expect(copy.body.surname).toBe('Okafor');
  });

  test('leaves out what the lending Koha’s own description does not have', () => {
    const body = bodyOf({
      accepts: (property) => property !== 'preferred_name' && property !== 'lang',
      lending: lending({ set: { lang: 'fr-FR' } }),
    });
    expect(body).not.toHaveProperty('preferred_name');
    expect(body).not.toHaveProperty('lang');
    expect(body).toHaveProperty('pronouns');
  });

  test('leaves out what home has not', () => {
    const body = bodyOf({ patron: withFields({ email: null, phone: '', mobile: ' \t ' }) });
    for (const field of ['email', 'phone', 'mobile']) expect(body).not.toHaveProperty(field);
  });

  test('writes no home key where none is configured', () => {
    expect(bodyOf({ lending: lending({ homeKeyAttribute: null }) })['extended_attributes']).toEqual([
      { type: 'PASSPORTED', value: 'midland' },
    ]);
  });

  test('has the fixed values instead of home’s, and an empty one drops the field', () => {
    const copy = copyOf({ lending: lending({ set: { email: 'desk@example.org', phone: '', surname: '' } }) });
    expect(copy.body).toMatchObject({ email: 'desk@example.org', surname: 'Okafor' });
    expect(copy.body).not.toHaveProperty('phone');
    expect(copy.fields).not.toContain('email');
    expect(copy.fields).not.toContain('phone');
  });
});

describe('the category of a copy', () => {
  const map = { AD: 'PT-A', CH: 'PT-C' };
  const choose = (categoryId: string, otherwise: string | null): PatronCopy =>
    buildPatronCopy(
      aCopyCase({
        patron: patron({ categoryId }),
        lending: lending({ category: { kind: 'by_home_category', map, otherwise } }),
      }),
    );

  test('follows the home category', () => {
    expect(choose('CH', null)).toMatchObject({ body: { category_id: 'PT-C' } });
    expect(choose('XX', 'PT')).toMatchObject({ body: { category_id: 'PT' } });
  });

  test.each(['XX', 'toString', '__proto__'])('T-13 %s, not in the map, is a named problem', (categoryId) => {
    expect(choose(categoryId, null)).toEqual({
      kind: 'misconfigured',
      problem: { what: 'category', name: categoryId },
    });
  });

  test.each(['Log in at https://example.org', 'A'.repeat(11), 'Ä', '\u202eTP', ''])(
    'a home category that is no code of Koha (%j) is a problem without its text',
    (categoryId) => {
      expect(choose(categoryId, null)).toEqual({
        kind: 'misconfigured',
        problem: { what: 'category', name: null },
      });
    },
  );

  test('T-13 that was never decided is a named problem', () => {
    expect(buildPatronCopy(aCopyCase({ lending: lending({ category: null }) }))).toMatchObject({
      kind: 'misconfigured',
      problem: { what: 'category' },
    });
  });
});

test('the branch of a copy is the scan’s, or a fixed one', () => {
  expect(bodyOf({ branch: 'NORTH' }).library_id).toBe('NORTH');
  const fixed = lending({ branch: { kind: 'fixed', branch: 'MAIN' } });
  expect(bodyOf({ branch: 'NORTH', lending: fixed }).library_id).toBe('MAIN');
});

test.each([
  [{ kind: 'home' }, '2027-05-01', '2027-05-01'],
  [{ kind: 'home' }, null, undefined],
  [{ kind: 'category' }, '2027-05-01', undefined],
  [{ kind: 'days', days: 30 }, '2027-05-01', '2026-12-25'],
  [{ kind: 'days', days: 30 }, '2026-12-01', '2026-12-01'],
  [{ kind: 'days', days: 30 }, null, '2026-12-25'],
] as const)('a copy under %j of a patron until %s ends %s', (expiry, expiryDate, expected) => {
  expect(bodyOf({ patron: patron({ expiryDate }), lending: lending({ expiry }) })['expiry_date']).toBe(
    expected,
  );
});

describe('a value in Koha’s limits', () => {
  const value = (field: string, raw: string): unknown =>
    bodyOf({ patron: withFields({ [field]: raw }) })[field];
  const bytes = (text: unknown): number => Buffer.byteLength(String(text));

  test.each(['F', 'ж', '女', '🧑'])('a gender of one character stays (%s)', (gender) => {
    expect(value('gender', gender)).toBe(gender);
  });

  test.each(['female', 'F1', '👩‍🚀', ''])('another gender is left out (%s)', (gender) => {
    expect(value('gender', gender)).toBeUndefined();
  });

  test('text is cut to its bytes between whole characters', () => {
    expect(bytes(value('mobile', '1'.repeat(300)))).toBe(255);
    expect(value('mobile', '漢'.repeat(90))).toBe('漢'.repeat(85));
    const family = '👩‍👩‍👧‍👦'; // 25 bytes that are one character
    expect(value('street_type', family.repeat(11))).toBe(family.repeat(10));
    const accented = 'e\u0301'; // 3 bytes
    expect(value('street_type', `x${accented.repeat(90)}`)).toBe(`x${accented.repeat(84)}`);
    expect(value('street_type', `${'a'.repeat(254)} b`)).toBe('a'.repeat(254));
  });

  test('one character that is too long by itself is cut between its code points', () => {
    expect(value('street_type', `e${'\u0301'.repeat(400)}`)).toBe(`e${'\u0301'.repeat(127)}`);
  });

  test('a text message number is taken whole or not at all', () => {
    expect(value('sms_number', '+'.repeat(50))).toBe('+'.repeat(50));
    expect(value('sms_number', '1'.repeat(51))).toBeUndefined();
  });

  test('long text stays whole where Koha’s column holds it', () => {
    expect(value('address', 'ÿ'.repeat(10_000))).toBe('ÿ'.repeat(10_000));
  });

  test('what is not drawn goes, save where a script needs it', () => {
    const shown = {
      '\u202eyppah\u202c': 'yppah',
      '\u2067a\u2069\u200e\u200f\u061c': 'a',
      'Jo\u200bhn\u2060 \ufeffDoe': 'John Doe',
      'Jo\u200dhn': 'John',
      'a\u{e0041}\u{e007f}b': 'ab',
      'soft\u00adhyphen': 'softhyphen',
      'a\u3164\u115fb': 'ab',
      'a\ufe0fb': 'ab',
      '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645': '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
      '\u0915\u094d\u200d\u0937': '\u0915\u094d\u200d\u0937',
      '\u845b\u{e0100}': '\u845b\u{e0100}',
      '👩‍🚀': '👩‍🚀',
    };
    for (const [raw, expected] of Object.entries(shown)) expect(value('address', raw)).toBe(expected);
    expect(value('email', '\u200b\u202e')).toBeUndefined();
  });

  test('a long text is cut in time that grows with its length', () => {
    const timed = (length: number): number => {
      const raw = 'é'.repeat(length);
      // Processor time: other work of the machine is not in it.
      const before = process.cpuUsage();
      value('address', raw);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    timed(20_000);
    // Ten times the length took a hundred times as long, and this one more than ten seconds.
    expect(timed(200_000)).toBeLessThan(2_000);
  });

  test('HTML stays text; control characters, line breaks and halves of characters go', () => {
    expect(value('address', '<b>1 &amp; 2</b>')).toBe('<b>1 &amp; 2</b>');
    expect(value('address', 'a\r\n\u0000b\u0085c\u2028d\u007f')).toBe('a b c d');
    expect(value('address', 'a\ud800b')).toBe('ab');
    expect(value('surname', '\u0007O\u0000')).toBe('O');
  });

  test.each([
    ['[% PERL %]die[% END %]', '[ % PERL %]die[ % END %]'],
    ['[\u200b% INCLUDE "/etc/passwd" %]', '[ % INCLUDE "/etc/passwd" %]'],
    ['<<borrowers.password>>', '< <borrowers.password>>'],
    ['a <<<b', 'a < < <b'],
    ['% PERL %]', 'PERL %]'],
    ['Smith [twin] 50% <3', 'Smith [twin] 50% <3'],
  ])('what Koha would run in a notice is only text (%j)', (email, expected) => {
    expect(bodyOf({ patron: withFields({ surname: 'Okafor', email }) })['email']).toBe(expected);
  });

  test('fixed values are held to them too', () => {
    const set = { statistics_1: 's'.repeat(90), opac_notes: 'a\u0000b', gender: 'XX' };
    const body = bodyOf({ lending: lending({ set }) });
    expect(body).toMatchObject({ statistics_1: 's'.repeat(80), opac_notes: 'a b' });
    expect(body).not.toHaveProperty('gender');
  });
});

describe('names and the login Koha makes of them', () => {
  const named = (firstname: string, surname: string): PatronBody =>
    bodyOf({ patron: patron({ surname, fields: { firstname, surname } }) });

  test('names of everyday length stay as they are', () => {
    const firstname = 'Pablo Diego José Francisco de Paula Juan';
    const surname = 'Ruiz y Picasso';
    expect(named(firstname, surname)).toMatchObject({ firstname, surname });
  });

  test('the first name gives way where both together would be too long', () => {
    expect(named('f'.repeat(60), 's'.repeat(30))).toMatchObject({
      firstname: 'f'.repeat(39),
      surname: 's'.repeat(30),
    });
  });

  test('a surname that is too long by itself is cut, and leaves no first name', () => {
    const copy = copyOf({ patron: patron({ fields: { firstname: 'Ada', surname: 's'.repeat(10_000) } }) });
    expect(copy.body).toMatchObject({ surname: 's'.repeat(70) });
    expect(copy.body).not.toHaveProperty('firstname');
    expect(copy.fields).not.toContain('firstname');
  });

  test('what does not go into a login does not count', () => {
    const surname = `${'-'.repeat(100)}${'e\u0301'.repeat(60)}`;
    expect(named('Ada', surname)).toMatchObject({ firstname: 'Ada', surname });
  });
});
