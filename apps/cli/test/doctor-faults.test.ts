import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { PLUGIN_FINDINGS } from '@passport/set-up';
import {
  type Change,
  category,
  examine,
  finds,
  only,
  populate,
  startTwoKohas,
  without,
} from './doctor-fixture.ts';

const PLUGIN = join(import.meta.dirname, '../../koha-plugin/Koha/Plugin/Org/PatronPassport');

const own = leakGuard({ beforeEach, afterEach });

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
});
const look = (how?: Parameters<typeof examine>[1]) => examine({ riverside, midland }, how);

describe('one fault switched on in the Koha of the lending library is named, and no other', () => {
  test.each<[what: string, change: Change, faults: string[]]>([
    ['the address redirects', { redirect_to: 'https://koha.example.org' }, ['redirect']],
    ['OAuth is off', { RESTOAuth2ClientCredentials: '0' }, ['oauth_off']],
    [
      'the permission to edit patrons is missing',
      without('borrowers:1', 'borrowers:edit_borrowers'),
      ['permission_missing borrowers: edit_borrowers'],
    ],
    [
      'the permission to check items out is missing',
      without('circulate:circulate_remaining_permissions'),
      ['permission_missing circulate: circulate_remaining_permissions'],
    ],
    ['the permission to see items is missing', without('catalogue:1'), ['permission_missing catalogue: 1']],
    [
      'the category is not there',
      { categories: [{ patron_category_id: 'AD', name: 'Adult' }] },
      ['category_unknown PT'],
    ],
    [
      'the category is not there, and neither is a rule for it',
      {
        categories: [{ patron_category_id: 'AD', name: 'Adult' }],
        circulation_rules: [{ rule: 'maxissueqty', value: '9', patron_category_id: 'AD' }],
      },
      ['category_unknown PT'],
    ],
    [
      'the category is statistical',
      { categories: [{ ...category, category_type: 'X' }] },
      ['category_statistical PT'],
    ],
    [
      'the category needs a guarantor',
      { categories: [{ ...category, category_type: 'C' }], ChildNeedsGuarantor: '1' },
      ['category_needs_guarantor PT'],
    ],
    [
      'the category has an enrolment fee',
      { categories: [{ ...category, enrolment_fee: 5 }] },
      ['enrolment_fee PT'],
    ],
    ['no circulation rule applies', { circulation_rules: [] }, ['no_circulation_rule PT']],
    [
      'a circulation rule applies to other categories only',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '9', patron_category_id: 'AD' },
          { rule: 'issuelength', value: '9' },
        ],
      },
      ['no_circulation_rule PT'],
    ],
    [
      'a circulation rule of another kind only applies to all',
      {
        circulation_rules: [
          { rule: 'finedays', value: '2' },
          { rule: 'issuelength', value: '9', patron_category_id: 'PT' },
          { rule: 'maxissueqty', value: '9', patron_category_id: 'AD' },
        ],
      },
      ['no_circulation_rule PT'],
    ],
    [
      'a circulation rule applies at one branch only',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '9' },
          { rule: 'issuelength', value: '9', library_id: 'MAIN' },
        ],
      },
      ['no_circulation_rule PT'],
    ],
    [
      'the rule for the category allows no checkout, though the one for all does',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '9' },
          { rule: 'maxissueqty', value: '0', patron_category_id: 'PT' },
          { rule: 'issuelength', value: '9' },
        ],
      },
      ['circulation_rule_zero PT'],
    ],
    [
      'the rules allow no checkout at one branch only',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '9', patron_category_id: 'PT' },
          { rule: 'maxissueqty', value: '0', library_id: 'NORTH' },
          { rule: 'issuelength', value: '9' },
        ],
      },
      ['circulation_rule_zero PT'],
    ],
    [
      'the rules allow no item type',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '0', patron_category_id: 'PT' },
          { rule: 'maxissueqty', value: '0', patron_category_id: 'PT', item_type_id: 'BK' },
          { rule: 'maxissueqty', value: '9', item_type_id: 'BK' },
          { rule: 'issuelength', value: '9' },
        ],
      },
      ['circulation_rule_zero PT'],
    ],
    [
      'the loan period is zero',
      {
        circulation_rules: [
          { rule: 'maxissueqty', value: '9' },
          { rule: 'issuelength', value: '0' },
        ],
      },
      ['circulation_rule_zero PT'],
    ],
    ['the plugin is not there', { plugin: false }, ['plugin_missing']],
    ['the plugin is disabled', { plugin_disabled: true }, ['plugin_disabled']],
    ['the plugin is old', { plugin_version: '0.9.12' }, ['plugin_old']],
    ['the clock is an hour ahead', { clock_skew_seconds: 3600 }, ['clock_off']],
    ['the clock is ten minutes behind', { clock_skew_seconds: -600 }, ['clock_off']],
    ['IndependentBranches binds the API user', { IndependentBranches: '1' }, ['branch_refused NORTH']],
  ])('%s', async (_what, change, faults) => {
    riverside.putSettings(change);
    const { code, faults: found } = await look();
    expect({ code, found }).toEqual({ code: 1, found: faults.map((fault) => `riverside ${fault}`) });
  });

  test('rules that allow no checkout are named with their place, and the remedy with the column to fill in', async () => {
    riverside.putSettings({
      circulation_rules: [
        { rule: 'maxissueqty', value: '0', library_id: 'NORTH' },
        { rule: 'maxissueqty', value: '9' },
        { rule: 'issuelength', value: '9' },
      ],
    });
    const { libraries } = await look();
    expect(libraries[0]?.findings).toContainEqual({
      level: 'fault',
      code: 'circulation_rule_zero',
      name: 'PT',
      problem: 'the circulation rules (maxissueqty) let PT borrow nothing at NORTH: they say 0',
      remedy: expect.stringMatching(/^Administration → .* PT .*"Current checkouts allowed"/),
      answered: null,
    });
  });

  test('its API gives HTML', async () => {
    riverside.addFaults([{ operation: 'GET /', times: 9, kind: 'html', status: 200 }]);
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside not_koha'] });
  });

  test('its API is under maintenance', async () => {
    riverside.addFaults([{ operation: 'GET /', times: 9, kind: 'status', status: 503 }]);
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside unreachable'] });
  });

  test('nothing answers at its address', async () => {
    await riverside.close();
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside unreachable'] });
  });

  test('it accepts connections and never answers', async () => {
    riverside.addFaults([{ operation: '*', times: 99, kind: 'hang' }]);
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside unreachable'] });
  });

  test('one call has no usable answer', async () => {
    riverside.addFaults([{ operation: 'GET /patrons', times: 9, kind: 'truncate' }]);
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside no_answer GET /patrons'] });
  });

  test.each([{ RIVERSIDE_SECRET: 'not-the-right-one' }, { RIVERSIDE_ID: 'not-the-right-one' }])(
    'its credentials are refused (%j)',
    async (env) => {
      const { code, faults, libraries } = await look({ env });
      expect({ code, faults }).toEqual({ code: 1, faults: ['riverside credentials_refused'] });
      const answered = libraries[0]?.findings[0]?.answered;
      expect(answered).toBe('RIVERSIDE_ID' in env ? 'unauthorized_client' : 'access_denied');
    },
  );

  test('its fixed branch is not there', async () => {
    const { code, faults } = await look({ change: { copy: { branch: { fixed: 'SOUTH' } } } });
    expect({ code, faults }).toEqual({ code: 1, faults: ['riverside branch_unknown SOUTH'] });
  });

  test('its branch is fixed, and IndependentBranches binds the API user all the same', async () => {
    riverside.putSettings({ IndependentBranches: '1' });
    const { code, faults, libraries } = await look({ change: { copy: { branch: { fixed: 'MAIN' } } } });
    const remedies = libraries.flatMap(({ findings }) => findings.map(({ remedy }) => remedy));
    expect({ code, faults }).toEqual({ code: 1, faults: ['riverside branch_refused NORTH'] });
    expect(remedies.join()).toMatch(/IndependentBranches: No/);
    expect(remedies.join()).not.toMatch(/superlibrarian/);
  });

  test('one category of a map is not there', async () => {
    const choice = { by_home_category: { AD: 'PT', CH: 'PT-C' }, otherwise: 'PT' };
    const { code, faults } = await look({ change: { copy: { category: choice } } });
    expect({ code, faults }).toEqual({ code: 1, faults: ['riverside category_unknown PT-C'] });
  });

  test.each<[what: string, change: Change, faults: string[]]>([
    [
      'branches, without the permission,',
      only('edit_borrowers', 'list_borrowers'),
      ['riverside patrons_hidden borrowers: view_borrower_infos_from_any_libraries'],
    ],
    [
      'IndependentBranches',
      { IndependentBranches: '1' },
      ['riverside patrons_hidden IndependentBranches', 'riverside branch_refused NORTH'],
    ],
  ])('%s hide its patrons', async (_what, change, faults) => {
    populate(riverside);
    riverside.putSettings({
      release: '26.05',
      ...only('edit_borrowers', 'list_borrowers', 'view_borrower_infos_from_any_libraries'),
    });
    expect((await look()).faults).toEqual([]);
    riverside.putSettings(change);
    expect(await look()).toMatchObject({ code: 1, faults });
  });
});

describe('what the plugin finds in its own Koha is said in the words of doctor', () => {
  test.each<[finding: string, level: string, name: string | null, found: string]>([
    ['type_missing', 'fault', 'PASSPORTED', 'attribute_type_missing PASSPORTED'],
    ['type_missing', 'fault', 'PASSPORTED_ID', 'attribute_type_missing PASSPORTED_ID'],
    ['type_not_unique', 'fault', 'PASSPORTED_ID', 'attribute_type_not_unique PASSPORTED_ID'],
    ['type_unique', 'fault', 'PASSPORTED', 'attribute_type_unique PASSPORTED'],
    ['type_mandatory', 'fault', 'FACULTY', 'attribute_type_mandatory FACULTY'],
    ['type_editable', 'fault', 'PASSPORTED_ID', 'attribute_type_in_opac PASSPORTED_ID'],
    ['type_shown', 'warning', 'PASSPORTED', 'attribute_type_in_opac PASSPORTED'],
    ['attributes_off', 'fault', null, 'extended_attributes_off ExtendedPatronAttributes'],
    ['category_missing', 'fault', 'PT', 'category_unknown PT'],
    ['tables_missing', 'fault', null, 'plugin_tables'],
    ['sip_branch', 'warning', 'kohalib', 'sip_branch kohalib'],
    ['plack_few', 'warning', null, 'few_workers'],
    ['found_later', 'fault', 'X', 'plugin_finding found_later'],
    ['constructor', 'fault', null, 'plugin_finding constructor'],
    ['__proto__', 'fault', null, 'plugin_finding __proto__'],
  ])('%s (%s) of %s', async (finding, level, name, found) => {
    riverside.putSettings(finds(finding, level, { name, figure: 1 }));
    const { code, faults, warnings, libraries } = await look();
    expect({ code, found: [...faults, ...warnings] }).toEqual({
      code: level === 'fault' ? 1 : 0,
      found: [`riverside ${found}`],
    });
    const [{ problem, remedy } = { problem: '', remedy: '' }] = libraries[0]?.findings ?? [];
    expect(`${problem} ${remedy}`).not.toMatch(/[{}?]/);
  });

  test('of a category that the plugin does not find, nothing is said of its rules', async () => {
    riverside.putSettings({
      ...without('parameters:manage_patron_categories'),
      ...finds('category_missing', 'fault', { name: 'PT' }),
      circulation_rules: [],
    });
    expect((await look()).faults).toEqual(['riverside category_unknown PT']);
  });

  test('that no rule applies is shown where doctor cannot read the rules', async () => {
    riverside.putSettings(finds('rules_missing', 'fault', { name: 'PT' }));
    expect((await look()).faults).toEqual([]);
    riverside.putSettings({ release: '24.05' });
    expect((await look()).faults).toEqual(['riverside no_circulation_rule PT']);
  });

  test('what it may find is what its set-up check can find, and what doctor shows or sees elsewhere', () => {
    const check = readFileSync(join(PLUGIN, 'SetupCheck.pm'), 'utf8');
    const table = /my %FINDING = \(([^]*?)^\);/m.exec(check)?.[1] ?? '';
    const can = [...table.matchAll(/^ {4}(\w+) +=> \[/gm)].map(([, finding]) => finding ?? '');
    expect(can.length).toBeGreaterThan(30);
    const known = Object.keys(PLUGIN_FINDINGS).map((key) => key.split(' ')[0]);
    expect(new Set(known)).toEqual(new Set([...can, 'types_unchecked']));
  });

  test('all is well, and what is seen from outside, is not repeated', async () => {
    for (const finding of [
      finds('types_ok', 'ok'),
      finds('user_lacks'),
      finds('worker_unchecked', 'unchecked'),
    ]) {
      riverside.putSettings(finding);
      expect(await look()).toMatchObject({ code: 0, faults: [], warnings: [] });
    }
  });
});

describe('one fault at a home library is named, and no other', () => {
  test.each<[what: string, change: Change, faults: string[]]>([
    [
      'patrons cannot be looked up',
      { permissions: ['catalogue:1'] },
      ['permission_missing borrowers: list_borrowers'],
    ],
    ['the API user is missing its keys', { RESTOAuth2ClientCredentials: '0' }, ['oauth_off']],
  ])('%s', async (_what, change, faults) => {
    midland.putSettings(change);
    const { code, faults: found } = await look();
    expect({ code, found }).toEqual({ code: 1, found: faults.map((fault) => `midland ${fault}`) });
  });

  test('it needs neither plugin nor category nor the permission to write', async () => {
    midland.putSettings({
      plugin: false,
      categories: [],
      attribute_types: [],
      circulation_rules: [],
      permissions: ['borrowers:list_borrowers'],
    });
    expect(await look()).toMatchObject({ code: 0, faults: [] });
  });
});
