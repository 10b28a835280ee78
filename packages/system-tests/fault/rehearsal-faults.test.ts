import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { emptySeed, type FaultDraft, type KohaDouble, type SettingsChange } from '@passport/koha-double';
import {
  atKiosk,
  CATEGORIES,
  CONFIRM,
  leftOver,
  rehearse,
  type Rehearsed,
  REHEARSAL_PERMISSIONS,
  setReporting,
  REHEARSE,
  rehearsalEnv,
  startRehearsal,
} from '../harness/start-rehearsal.ts';
import type { Consortium } from '../harness/start-consortium.ts';
import { runPassport } from '../harness/run-passport.ts';

let consortium: Consortium<Rehearsed>;
beforeAll(async () => {
  consortium = await startRehearsal('25.11');
}, 60_000);
afterAll(() => consortium?.stop());

const SETTINGS = { categories: CATEGORIES, permissions: REHEARSAL_PERMISSIONS };
beforeEach(() => {
  for (const double of Object.values(consortium.doubles)) {
    double.clearFaults();
    double.clearCalls();
    double.seed(emptySeed(double.credentials));
    double.putSettings({ ...SETTINGS, card_prefix: '', plugin_service_user: 'PASSPORT-SERVICE' });
    double.putSettings({
      PatronDuplicateMatchingAddFields: 'surname|firstname|dateofbirth',
      release: '25.11',
    });
  }
  setReporting(consortium);
});

const always = (operation: string, more: Partial<FaultDraft> = {}): FaultDraft => ({
  operation,
  kind: 'status',
  times: 1_000,
  ...more,
});
const without = (permission: string): SettingsChange => ({
  permissions: REHEARSAL_PERMISSIONS.filter((each) => each !== permission),
});

/** What is wrong with a Koha, which scenarios show it, and the words that name it. */
interface Fault {
  readonly says: string;
  readonly spoil: (kohas: Readonly<Record<Rehearsed, KohaDouble>>, at: Consortium<Rehearsed>) => void;
  readonly only: readonly string[];
  readonly named: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    says: 'the category of copies is missing',
    spoil: ({ riverside }) =>
      riverside.putSettings({ categories: CATEGORIES.filter((each) => each.patron_category_id !== 'PT') }),
    only: ['copy'],
    named: /expected COPIED, was MISCONFIGURED \(riverside: category PT\)/,
  },
  {
    says: 'the attribute type of the home key is missing',
    spoil: ({ riverside }) =>
      riverside.putSettings({ attribute_types: [{ code: 'PASSPORTED', description: '' }] }),
    only: ['copy'],
    named: /expected COPIED, was MISCONFIGURED \(riverside: attribute_type PASSPORTED_ID\)/,
  },
  {
    says: 'an attribute type became mandatory',
    spoil: ({ riverside }) =>
      riverside.putSettings({
        attribute_types: [
          { code: 'PASSPORTED' },
          { code: 'PASSPORTED_ID', unique_id: true },
          { code: 'SCHOOL', mandatory: true },
        ],
      }),
    only: ['copy'],
    named: /MISCONFIGURED \(riverside: mandatory_attribute SCHOOL\)/,
  },
  {
    says: 'the API user may not catalogue',
    spoil: ({ riverside }) => riverside.putSettings(without('editcatalogue:edit_catalogue')),
    only: ['checkout'],
    named: /riverside: POST \/biblios: permission \(403\), editcatalogue: edit_catalogue/,
  },
  {
    says: 'the API user sees the patrons of its own branch only',
    spoil: ({ midland }) => {
      const own = ['edit_borrowers', 'list_borrowers', 'delete_borrowers'].map((each) => `borrowers:${each}`);
      const others = REHEARSAL_PERMISSIONS.filter((each) => !each.startsWith('borrowers:'));
      midland.putSettings({ permissions: [...own, ...others] });
      midland.putPatron('PASSPORT-SERVICE', { library_id: 'NORTH' });
    },
    only: ['copy'],
    named: /midland hides whom it has just created: .*view_borrower_infos_from_any_libraries/,
  },
  {
    says: 'a search by attribute is a failure of its database',
    spoil: ({ riverside }) =>
      riverside.addFaults([
        always('GET /patrons', { status: 500, body: { error: 'x', error_code: 'internal_server_error' } }),
      ]),
    only: ['copy'],
    named: /it waits for riverside|riverside: GET \/patrons: http_5xx \(500\)/,
  },
  {
    says: 'its checkouts fail',
    spoil: ({ riverside }) =>
      riverside.addFaults([always('POST /checkouts', { body: { error: 'Unknown error during checkout' } })]),
    only: ['checkout'],
    named: /it waits for riverside|checkout: expected CHECKED_OUT, was/,
  },
  {
    says: 'another plugin rewrites each card',
    spoil: ({ riverside }) => riverside.putSettings({ card_prefix: 'X-' }),
    only: ['copy'],
    named: /riverside|card/,
  },
  {
    says: 'the plugin serves another user than ours',
    spoil: ({ riverside }) => riverside.putSettings({ plugin_service_user: null }),
    only: ['restriction'],
    named: /PUT \/contrib\/passport\/restrictions\/\{kind\}\/\{library\}\/\{patron_id\}: permission \(403\)/,
  },
  {
    says: 'an own record without a name passes for everybody',
    spoil: ({ riverside }) => {
      riverside.putSettings({ PatronDuplicateMatchingAddFields: 'surname' });
      riverside.putPatron('BLANK', { surname: '', category_id: 'AD' });
    },
    only: ['copy'],
    named: /expected COPIED, was (?:LOOKS_LIKE_LOCAL_PATRON|MISCONFIGURED)/,
  },
  {
    says: 'one record cannot be shown',
    spoil: ({ midland }) => {
      const body = {
        errors: [{ message: 'Month out of range.', path: '/body/0/date_of_birth' }],
        status: 500,
      };
      midland.addFaults([always('GET /patrons', { body })]);
    },
    only: ['copy'],
    named: /midland: GET \/patrons: record_unreadable \(500\), date_of_birth/,
  },
  {
    says: 'the circulation rule of copies lets them borrow nothing',
    spoil: ({ riverside }) =>
      riverside.putSettings({
        circulation_rules: [
          { rule: 'maxissueqty', value: '9' },
          { rule: 'maxissueqty', value: '0', patron_category_id: 'PT' },
        ],
      }),
    only: ['checkout'],
    named:
      /riverside: the category PT, item type BK, branch MAIN: the circulation rule \(maxissueqty\) says 0/,
  },
  {
    says: 'no circulation rule applies to copies, and its API makes none',
    spoil: ({ riverside }) => riverside.putSettings({ circulation_rules: [], release: '24.11' }),
    only: ['checkout'],
    named: /branch MAIN: no circulation rule \(maxissueqty, issuelength\) applies, .* makes none: set one/,
  },
  {
    says: 'no circulation rule applies to copies, and the item type does not exist',
    spoil: ({ riverside }) =>
      riverside.putSettings({ circulation_rules: [], item_types: [{ item_type_id: 'DVD' }] }),
    only: ['checkout'],
    named: /item type BK, branch MAIN: no rule can be set: invalid_parameter_value/,
  },
  {
    says: 'the plugin does not take the SIP account for a kiosk',
    spoil: (_kohas, kiosk) => setReporting(kiosk, ['ebooks']),
    only: ['sip'],
    named: /the plugin of riverside reports the card at the self-check, and the scan ends: not within 4 s/,
  },
  {
    says: 'the copy is blocked at the self-check',
    spoil: ({ riverside }) =>
      riverside.putSettings({
        circulation_rules: [{ rule: 'maxissueqty', value: '' }],
        item_types: [{ item_type_id: 'BK', not_for_loan: true }],
      }),
    only: ['sip'],
    named: /checkout: ok: expected true, was false/,
  },
  {
    says: 'it answers another shape than Koha does',
    spoil: ({ riverside }) =>
      riverside.addFaults([
        always('GET /checkouts', { status: 200, body: [{ checkout_id: 'x', patron_id: 1 }] }),
      ]),
    only: ['checkout'],
    named: /GET \/checkouts 200: \[\]\.checkout_id is string, the stand-in's number/,
  },
];

describe('a rehearsal names what is wrong with a Koha:', () => {
  test.each(FAULTS)(
    '$says',
    async ({ spoil, only, named }) => {
      spoil(consortium.doubles, consortium);
      const { code, report } = await rehearse(consortium, ['--only', ...only, '--for', '4s']);
      const texts = [
        ...report.scenarios.flatMap(({ differences }) => differences),
        ...report.answers.map(({ text }) => text),
      ].join('\n');
      expect({ code, ok: report.ok, texts }).toEqual({
        code: 1,
        ok: false,
        texts: expect.stringMatching(named),
      });
      // What a Koha that is so broken does not let go, the next start removes.
      for (const double of Object.values(consortium.doubles)) double.clearFaults();
      for (const double of Object.values(consortium.doubles))
        double.putSettings({ ...SETTINGS, card_prefix: '' });
      const cleaned = await runPassport([...REHEARSE, '--clean'], { env: rehearsalEnv(consortium) });
      expect(cleaned).toMatchObject({ code: 0 });
      expect(leftOver(consortium).filter((what) => !what.includes('BLANK'))).toEqual([]);
    },
    60_000,
  );
});

describe('a rehearsal makes nothing', () => {
  const run = async (args: readonly string[], input = '') =>
    runPassport(args, { env: rehearsalEnv(consortium), input });

  test.each<[string, Rehearsed]>([
    ['at a lending library in service', 'riverside'],
    ['with a home library in service', 'midland'],
  ])('%s: it has no category REHEARSAL', async (_what, id) => {
    const inService = CATEGORIES.filter((each) => each.patron_category_id !== 'REHEARSAL');
    consortium.doubles[id].putSettings({ categories: inService });
    const { code, err } = await run([...REHEARSE, ...CONFIRM]);
    expect(code).toBe(1);
    expect(err).toContain(`${id} has no patron category REHEARSAL`);
    expect(leftOver(consortium)).toEqual([]);
    expect(
      consortium.doubles[id]
        .calls()
        .filter(({ method, path }) => method === 'POST' && !path.endsWith('/token')),
    ).toEqual([]);
  });

  test('where its libraries are not typed', async () => {
    const { code, err } = await run([...REHEARSE], 'riverside\n');
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('not confirmed') });
    expect(err).toContain('up to 30 patrons');
    expect(leftOver(consortium)).toEqual([]);
  });
});

test('a login that the SIP server refuses is named, without the password', async () => {
  const env = { ...rehearsalEnv(consortium), PASSPORT_SIP_PASSWORD: 'the wrong one' };
  const args = [...REHEARSE, ...atKiosk(consortium), ...CONFIRM, '--only', 'sip'];
  const { code, out, err } = await runPassport(args, { env });
  expect({ code, out }).toEqual({
    code: 1,
    out: expect.stringMatching(/SIP 93: login \(the SIP server\s+refuses/),
  });
  expect(`${out}${err}`).not.toMatch(/the wrong one/);
  // What is sent to others says neither where the server is nor who its client is.
  expect(out.replaceAll(/\s+/g, ' ')).toContain('--sip HOST:PORT --sip-user USER');
  expect(out).not.toContain(String(consortium.doubles.riverside.sipPort));
  expect(leftOver(consortium)).toEqual([]);
});

test.each([
  ['without a password in the environment', (kiosk: readonly string[]) => kiosk, 'PASSPORT_SIP_PASSWORD'],
  ['without a user', (kiosk: readonly string[]) => kiosk.slice(0, 1), '--sip-user'],
  ['without a server', (kiosk: readonly string[]) => kiosk.slice(1), 'need --sip'],
  ['at no port', () => ['--sip', '127.0.0.1'], 'HOST:PORT'],
])('a self-check %s is refused before anything is asked', async (_what, given, named) => {
  const { PASSPORT_SIP_PASSWORD: _none, ...env } = rehearsalEnv(consortium);
  const args = [...REHEARSE, ...given(atKiosk(consortium)), ...CONFIRM];
  const { code, err } = await runPassport(args, { env });
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(named) });
  expect(consortium.doubles.riverside.calls()).toEqual([]);
});

test('a circulation rule that was there before, or that somebody has changed meanwhile, is left alone', async () => {
  const scope = { library_id: 'MAIN', patron_category_id: 'PT', item_type_id: 'BK' };
  const rules = [
    { ...scope, rule: 'maxissueqty', value: '5' },
    { ...scope, rule: 'issuelength', value: '99' },
    { ...scope, rule: 'lengthunit', value: 'days' },
  ];
  consortium.doubles.riverside.putSettings({ circulation_rules: rules });
  const at = { library: 'riverside', branch: 'MAIN', category: 'PT', itemType: 'BK' };
  for (const entry of [
    { kind: 'run', run: 'BCDFGHJ', at: '2026-11-29T00:00:00Z', libraries: ['riverside'] },
    { kind: 'rule', ...at, names: ['maxissueqty', 'issuelength'] },
  ])
    await consortium.redis.call('RPUSH', '{passport}:rehearsal', JSON.stringify(entry));
  const clean = () => runPassport([...REHEARSE, '--clean'], { env: rehearsalEnv(consortium) });
  // One that cannot be removed is no reason to forget it.
  const { item_types: itemTypes } = consortium.doubles.riverside.settings();
  consortium.doubles.riverside.putSettings({ item_types: [{ item_type_id: 'DVD' }] });
  expect(await clean()).toMatchObject({
    code: 1,
    err: expect.stringContaining('circulation rule of PT, BK, MAIN: invalid_parameter_value'),
  });
  consortium.doubles.riverside.putSettings({ item_types: itemTypes });
  expect(await clean()).toMatchObject({ code: 0, out: '1 removed\n' });
  expect(consortium.doubles.riverside.settings().circulation_rules).toEqual(rules.slice(1));
});

test('a patron of the library who carries the mark is left alone, whatever the card', async () => {
  const { riverside, midland } = consortium.doubles;
  const namesake = { surname: 'Rehearsal-BCDFGHJ', category_id: 'REHEARSAL', library_id: 'MAIN' };
  const journal = [
    { kind: 'run', run: 'BCDFGHJ', at: '2026-11-29T00:00:00Z', libraries: ['riverside', 'midland'] },
    { kind: 'patron', library: 'midland', card: '21234000000001', category: 'REHEARSAL' },
    { kind: 'item', library: 'riverside', barcode: 'PPRBCDFGHJ00' },
  ];
  for (const entry of journal)
    await consortium.redis.call('RPUSH', '{passport}:rehearsal', JSON.stringify(entry));
  // The mark without a card of the journal; a card of the journal without the mark; both in another category; and the one that is ours.
  midland.putPatron('21234000000002', namesake);
  riverside.putPatron('21234000000001', { ...namesake, surname: 'Okafor' });
  midland.putPatron('21234000000003', { ...namesake, category_id: 'AD' });
  midland.putPatron('21234000000001', namesake);
  riverside.putItem('PPRBCDFGHJ00', {});
  const { code, out, err } = await runPassport([...REHEARSE, '--clean'], { env: rehearsalEnv(consortium) });
  expect({ code, out }).toEqual({ code: 0, out: '1 removed\n' });
  expect(err.match(/left alone/g)).toHaveLength(4);
  expect(leftOver(consortium)).toEqual([
    'riverside patron 21234000000001 Okafor REHEARSAL',
    'riverside item PPRBCDFGHJ00',
    'midland patron 21234000000002 Rehearsal-BCDFGHJ REHEARSAL',
    'midland patron 21234000000003 Rehearsal-BCDFGHJ AD',
  ]);
});
