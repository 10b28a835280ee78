import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import {
  type Change,
  category,
  examine,
  homeKey,
  only,
  passported,
  populate,
  startTwoKohas,
  without,
} from './doctor-fixture.ts';

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
    ['the passport type is missing', { attribute_types: [homeKey] }, ['attribute_type_missing PASSPORTED']],
    [
      'the home key type is missing',
      { attribute_types: [passported] },
      ['attribute_type_missing PASSPORTED_ID'],
    ],
    [
      'the home key type is not unique',
      { attribute_types: [passported, { ...homeKey, unique_id: false }] },
      ['attribute_type_not_unique PASSPORTED_ID'],
    ],
    [
      'the passport type is unique',
      { attribute_types: [{ ...passported, unique_id: true }, homeKey] },
      ['attribute_type_unique PASSPORTED'],
    ],
    [
      'another type is mandatory',
      {
        attribute_types: [passported, homeKey, { code: 'FACULTY', description: 'Faculty', mandatory: true }],
      },
      ['attribute_type_mandatory FACULTY'],
    ],
    [
      'patrons can change the home key',
      { attribute_types: [passported, { ...homeKey, opac_display: true, opac_editable: true }] },
      ['attribute_type_in_opac PASSPORTED_ID'],
    ],
    [
      'patron attributes are switched off',
      { ExtendedPatronAttributes: '0' },
      ['extended_attributes_off ExtendedPatronAttributes'],
    ],
    ['the plugin is not there', { plugin: false }, ['plugin_missing']],
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
